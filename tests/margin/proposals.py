"""A world of okx-classic accounts before that methodology was retired, and proposals for it."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from margin.models import ImpactReport, MarketSnapshot, ParameterVersion
from margin.parameter_files import shipped_documents
from margin.services.impacts import impact_finish, impact_start
from margin.services.market import parameters_load_initial, snapshot_accept
from margin.services.runs import run_advance
from margin.services.versions import version_draft, version_propose
from margin.versions import version_named
from pmplatform.common.principals import Actor
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, SEED, world

CLASSIC: Final = "okx-classic"
#: 2024-06-05 is in force, 2025-01-06 is to come.
NOW: Final = datetime(2024, 12, 20, 10, tzinfo=UTC)
AHEAD: Final = "2024-12-24T08:00:00Z"
ALICE, BOB, CAROL = (Actor(name=f"user:{name}", request_id="r") for name in ("alice", "bob", "carol"))


def document_of(version: str, methodology: str = CLASSIC) -> dict[str, Any]:
    """A shipped document, to be changed freely."""
    [history] = [
        document["versions"]
        for document in shipped_documents()
        if document["versions"][0]["methodology"] == methodology
    ]
    return deepcopy(next(row for row in history if row["version"] == version))


def proposal(name: str = "next", effective_from: str = AHEAD, **changes: Any) -> dict[str, Any]:
    """The version in force at `NOW` under another name, with some top-level fields replaced."""
    return {**document_of("2024-06-05"), "version": name, "effective_from": effective_from, **changes}


def classic_world(count: int) -> MarketSnapshot:
    """`count` demo accounts under okx-classic at `NOW`, whose history ends with what was known then."""
    known = [
        {**history, "versions": [row for row in history["versions"] if row["effective_from"] < "2024-12-20"]}
        for history in shipped_documents()
    ]
    parameters_load_initial(documents=known)
    market = DemoMarket(SEED, NOW).document()
    accounts = [
        {**account.document, "methodology": CLASSIC, "hedge_mode": "spot_usdt"}
        for account in demo_accounts(market, count, SEED)
    ]
    return world(market, NOW, accounts)


def proposed(document: Mapping[str, Any] | None = None, *, actor: Actor = ALICE) -> ParameterVersion:
    """A version that has been drafted and proposed."""
    draft = version_draft(document=dict(document or proposal()), actor=actor, now=NOW)
    return version_propose(version_id=draft.pk, actor=actor, now=NOW)


def impact_of(version: ParameterVersion, base: str = "2024-06-05") -> ImpactReport:
    """The finished impact report of a version."""
    before = version_named(methodology=version.methodology, version=base)
    report, _ = impact_start(base=before, proposed=version, actor=ALICE, now=NOW)
    for run in (report.base_run_id, report.proposed_run_id):
        work_through(run_advance(run_id=run))
    return impact_finish(report_id=report.pk, now=NOW)


def snapshot_at(moment: datetime) -> MarketSnapshot:
    """The demo market as it has become by a later moment."""
    market = DemoMarket(SEED, NOW).step((moment - NOW).total_seconds())
    return snapshot_accept(market=market, as_of=moment, source="tests", actor=ACTOR)


HOUR: Final = timedelta(hours=1)
