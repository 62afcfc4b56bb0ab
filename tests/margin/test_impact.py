"""Impact reports over a real book, by the distributed run, and what they stop."""

from typing import Any

import pytest

from accounts.models import Account
from margin import selectors
from margin.choices import ImpactState, MarginStatus, RunReason, VersionState
from margin.engine.parameters.library import Library, read_version
from margin.engine.simulation import margin_report
from margin.impact import Standing, account_change, impact_report, largest_changes
from margin.models import ImpactReport, MarginResult, ParameterVersion
from margin.services.approvals import version_approve
from margin.services.eligibility import eligibility_review
from margin.services.impacts import impact_finish, impact_start
from margin.services.runs import run_start
from margin.services.versions import version_draft
from margin.tasks import enqueue
from margin.versions import impact_accounts
from pmplatform.common.errors import NotPermitted, Refused
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket
from tests.margin.proposals import (
    ALICE,
    BOB,
    CAROL,
    NOW,
    classic_world,
    document_of,
    impact_of,
    proposal,
    proposed,
)
from tests.margin.test_runs import work_through
from tests.margin.world import SEED, newest_run
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LOWER_MOVES = "2025-01-06"


def _lower_moves() -> ParameterVersion:
    """The version that the venue published next, as a proposal."""
    return proposed(document_of(LOWER_MOVES))


def dangerous() -> dict[str, Any]:
    """Every coefficient in range, and moves far beyond anything the book could bear."""
    document = proposal("dangerous")
    for asset_class in ("tier1", "tier2", "other"):
        document["mr1"]["price_moves"][asset_class] = [0.3, 0.6, 0.9]
        document["mr6"]["price_move"][asset_class] = 0.95
    return document


def _figures(version: ParameterVersion, document: dict[str, Any]) -> Any:
    market = DemoMarket(SEED, NOW).document()
    book = {"as_of": NOW.isoformat(), "methodology": "okx-classic", "parameters": version.document}
    library = Library.of([read_version(version.document)])
    return margin_report({**book, "market": market, "account": document}, library)["account"]


def test_the_published_change_of_january_lowers_the_margin_of_the_book() -> None:
    classic_world(150)
    report = impact_of(_lower_moves())
    assert report.state == ImpactState.COMPLETED, report.failure
    found: Any = report.report
    assert found["accounts"] == 150
    # Moves fall by a fifth at most, and what a move does not decide stays.
    assert -0.2 < found["mmr"]["ratio"] < 0.0
    assert -0.2 < found["imr"]["ratio"] < 0.0
    assert sum(column["accounts"] for column in found["histogram"]) == 150
    assert found["newly_liquidatable"] == {"count": 0, "accounts": []}
    assert (report.newly_blocked, found["blocked"]) == (0, 0)
    assert len(found["largest"]) == 20
    changes = [abs(row["mmr"]["change"]) for row in found["largest"]]
    assert changes == sorted(changes, reverse=True)
    for row in found["largest"]:
        assert {"mr1", "mr6"} & {item["component"] for item in row["components"] if item["change"]}


def test_both_sides_of_a_report_are_what_a_simulation_says() -> None:
    classic_world(30)
    version = _lower_moves()
    report = impact_of(version)
    documents = {
        account["id"]: {k: v for k, v in account.items() if k != "methodology"} for account in _documents(30)
    }
    result: Any
    for result in impact_accounts(report).order_by("id")[::6]:
        account = result.account
        after = _figures(version, documents[account.code])
        before = _figures(report.base, documents[account.code])
        assert float(result.mmr) == pytest.approx(after["mmr"], rel=1e-9, abs=1e-7)
        assert float(result.before_mmr) == pytest.approx(before["mmr"], rel=1e-9, abs=1e-7)
        assert (result.status, result.before_status) == (after["status"], before["status"])


def _documents(count: int) -> list[dict[str, Any]]:
    market = DemoMarket(SEED, NOW).document()
    return [{**row.document, "hedge_mode": "spot_usdt"} for row in demo_accounts(market, count, SEED)]


def test_a_dangerous_draft_is_held_for_a_second_approver() -> None:
    classic_world(250)
    version = proposed(dangerous())
    report = impact_of(version)
    assert report.newly_liquidatable is not None
    assert report.newly_liquidatable >= 50
    found: Any = report.report
    assert found["newly_liquidatable"]["count"] == report.newly_liquidatable
    held = version_approve(version_id=version.pk, actor=BOB, now=NOW)
    assert held.state == VersionState.PROPOSED
    with pytest.raises(NotPermitted):
        version_approve(version_id=version.pk, actor=BOB, now=NOW)
    in_force = selectors.parameters_in_force("okx-classic", version.effective_from)
    assert in_force is not None
    assert in_force.version == "2024-06-05"
    approved = version_approve(version_id=version.pk, actor=CAROL, now=NOW)
    assert (approved.state, approved.impact) == (VersionState.APPROVED, report)


def test_an_impact_run_is_never_taken_for_how_accounts_stand() -> None:
    classic_world(6)
    work_through(run_start(reason=RunReason.MANUAL))
    real = newest_run()
    eligibility_review(run_id=real.pk, now=NOW)
    report = impact_of(_lower_moves())
    assert selectors.run_latest_completed() == real
    assert not selectors.runs_unreviewed()
    assert set(selectors.results_latest().values_list("run", flat=True)) == {real.pk}
    for account in Account.objects.all():
        latest = selectors.result_latest(account.pk)
        assert latest is not None
        assert latest.run_id == real.pk
    assert MarginResult.objects.filter(run=report.proposed_run).count() == 6


def test_a_report_on_a_draft_or_across_methodologies_is_refused() -> None:
    classic_world(1)
    draft = version_draft(document=proposal(), actor=ALICE, now=NOW)
    base = ParameterVersion.objects.get(methodology="okx-classic", version="2024-06-05")
    other = ParameterVersion.objects.filter(methodology="standard").earliest("id")
    for one, reason in ((draft, "is a draft"), (other, "different methodologies"), (base, "itself")):
        with pytest.raises(Refused, match=reason):
            impact_start(base=base, proposed=one, actor=ALICE, now=NOW)


def test_asking_again_while_a_report_is_under_way_answers_that_one() -> None:
    classic_world(3)
    version = _lower_moves()
    base = ParameterVersion.objects.get(methodology="okx-classic", version="2024-06-05")
    first, part_ids = impact_start(base=base, proposed=version, actor=ALICE, now=NOW)
    again, none = impact_start(base=base, proposed=version, actor=BOB, now=NOW)
    assert part_ids
    assert (again, none) == (first, [])
    assert impact_finish(report_id=first.pk, now=NOW).state == ImpactState.RUNNING


def test_workers_write_the_report_by_themselves() -> None:
    classic_world(40)
    version = _lower_moves()
    base = ParameterVersion.objects.get(methodology="okx-classic", version="2024-06-05")
    with start_worker(concurrency=2):
        report, part_ids = impact_start(base=base, proposed=version, actor=ALICE, now=NOW)
        enqueue(part_ids)
        wait_until(lambda: ImpactReport.objects.filter(pk=report.pk).exclude(state="running").exists())
    report.refresh_from_db()
    assert report.state == ImpactState.COMPLETED, report.failure
    found: Any = report.report
    assert found["accounts"] == 40


def _standing(status: MarginStatus, mmr: float, refused: bool = False) -> Standing:
    return Standing("A", status, mmr, 1.3 * mmr, refused)


def test_accounts_are_sorted_by_what_becomes_of_them() -> None:
    before = {
        1: _standing(MarginStatus.NORMAL, 100.0),
        2: _standing(MarginStatus.NORMAL, 100.0),
        3: _standing(MarginStatus.WARNING, 100.0),
        4: _standing(MarginStatus.LIQUIDATION, 100.0, refused=True),
        5: _standing(MarginStatus.NORMAL, 0.0),
        6: _standing(MarginStatus.NORMAL, 50.0),
    }
    after = {
        1: _standing(MarginStatus.LIQUIDATION, 200.0, refused=True),
        2: _standing(MarginStatus.WARNING, 110.0),
        3: _standing(MarginStatus.WARNING, 100.0),
        4: _standing(MarginStatus.NORMAL, 40.0),
        5: _standing(MarginStatus.NORMAL, 10.0),
    }
    report = impact_report(before, after)
    assert report["accounts"] == 5
    assert (report["mmr"]["before"], report["mmr"]["after"]) == (400.0, 460.0)
    assert [row["account"] for row in report["newly_liquidatable"]["accounts"]] == [1]
    assert [row["account"] for row in report["newly_warned"]["accounts"]] == [2]
    assert [row["account"] for row in report["newly_refused"]["accounts"]] == [1]
    counts = {(column["from"], column["to"]): column["accounts"] for column in report["histogram"]}
    assert counts[None, -0.5] == 1
    assert counts[-0.01, 0.01] == 1
    assert counts[0.1, 0.25] == 1
    assert counts[1.0, None] == 2
    assert largest_changes(before, after) == (1, 4, 2, 5)


def test_a_change_by_component_lists_what_either_version_asks_for() -> None:
    sides = ({("BTC", "mr1"): 80.0, ("BTC", "mr2"): 0.0}, {("BTC", "mr1"): 60.0, ("BTC", "mr7"): 5.0})
    one, other = _standing(MarginStatus.NORMAL, 80.0), _standing(MarginStatus.NORMAL, 65.0)
    change = account_change(7, one, other, sides)
    assert [(row["component"], row["change"]) for row in change["components"]] == [
        ("mr1", -20.0),
        ("mr7", 5.0),
    ]
