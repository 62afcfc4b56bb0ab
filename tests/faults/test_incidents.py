"""Incidents as they have happened elsewhere: nobody is liquidated because of them."""

from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import pytest

from accounts.documents import FillDocument
from accounts.models import Account, Tenant
from accounts.services.loading import accounts_load
from liquidation.models import LiquidationCase
from liquidation.services.reviews import run_review
from margin.choices import RunReason
from margin.models import MarginResult, ParameterVersion
from margin.services import runs
from margin.services.approvals import version_approve
from margin.services.fills import fill_record
from margin.services.market import snapshot_accept
from margin.services.versions import versions_mirror
from pmplatform.common.principals import Actor
from pmplatform.demo.market import DemoMarket
from pmplatform.invariants.view import violations
from tests.faults.stage import twin_books
from tests.liquidation.queue.support import OFFICER, SWAP, at, directional, stored
from tests.margin.proposals import BOB, CAROL, CLASSIC, NOW, classic_world, impact_of, proposed, snapshot_at
from tests.margin.test_impact import dangerous
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, SEED, newest_run

pytestmark = pytest.mark.django_db(transaction=True)

HEALTHY = directional(400_000)


def seen(market: dict[str, Any], seconds: float) -> str:
    """Accept a snapshot, margin and review by it at once; the account's status at that market."""
    now = at(seconds)
    snapshot_accept(market=market, as_of=now, source="tests", actor=ACTOR)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    run_review(run_id=newest_run().pk, now=now + timedelta(seconds=1))
    return MarginResult.objects.get(run=newest_run()).status


def lose(account: Account, usd: int, now: datetime) -> None:
    """Take money from an account by a fee, as a bad trade would."""
    trade = FillDocument(
        SWAP, "buy", Decimal(1), Decimal(100_000), Decimal(usd), "USDT", client_id="bad trade"
    )
    fill_record(account_id=account.pk, fill=trade, actor=OFFICER, now=now)


def market(**levels: float) -> dict[str, Any]:
    """The market with levels replaced: `usdt`, or the factor `btc` of every price of the coin's index."""
    document = deepcopy(HEALTHY["market"])
    document["fx"]["USDT"] = levels.get("usdt", document["fx"]["USDT"])
    for pair in document["index"]:
        document["index"][pair] *= levels.get("btc", 1.0)
    return dict(document)


def test_a_feed_stuck_for_an_hour_liquidates_nobody() -> None:
    [account] = stored(HEALTHY)
    for minute in range(1, 7):
        assert seen(market(), 60 * minute) == "normal"
    lose(account, 380_000, at(370))
    for minute in range(7, 61, 6):
        assert seen(market(), 60 * minute) == "liquidation"
    assert not LiquidationCase.objects.exists()
    # The market moves again: now it counts, twice.
    seen(market(btc=1.0001), 3_700)
    seen(market(btc=1.0002), 3_720)
    assert LiquidationCase.objects.count() == 1


@pytest.mark.parametrize(
    "levels", [{"usdt": 0.65}, {"btc": 10.0}, {"btc": 0.1}], ids=["depeg", "10x", "tenth"]
)
def test_one_print_that_the_next_does_not_confirm_liquidates_nobody(levels: dict[str, float]) -> None:
    stored(HEALTHY)
    assert seen(market(), 10) == "normal"
    seen(market(**levels), 20)
    assert seen(market(), 30) == "normal"
    assert seen(market(btc=1.0001), 40) == "normal"
    assert not LiquidationCase.objects.exists()
    assert violations() == []


#: Equity as a share of notional: a dozen accounts that stand well, and a dozen that nothing could touch.
SHARES: Final = (0.3, 0.31, 0.32, 0.33, 0.34, 0.35, 5.0, 5.1, 5.2, 5.3, 5.4, 5.5)


def ruinous_proposal() -> ParameterVersion:
    """A version that comes into force in ten minutes and makes half of the book liquidatable."""
    snapshot = classic_world(0)
    market = DemoMarket(SEED, NOW).document()
    terms = {"methodology": CLASSIC, "hedge_mode": "spot_usdt"}
    books = [{**book, **terms} for share in SHARES for book in twin_books(market, share)]
    accounts_load(tenant_id=Tenant.objects.get().pk, documents=books, actor=ACTOR, now=snapshot.as_of)
    version = proposed(dangerous() | {"effective_from": "2024-12-20T10:10:00Z"})
    assert impact_of(version).newly_liquidatable == len(SHARES) == len(books) / 2
    return version


def cases_after(version: ParameterVersion, *approvers: Actor) -> int:
    """How many cases there are when the version's instant has passed, approved by these people."""
    for approver in approvers:
        version_approve(version_id=version.pk, actor=approver, now=NOW)
    for minutes in (11, 12):
        now = NOW + timedelta(minutes=minutes)
        versions_mirror(now=now)
        snapshot_at(now)
        work_through(runs.run_start(reason=RunReason.MANUAL))
        run_review(run_id=newest_run().pk, now=now + timedelta(seconds=1))
    return LiquidationCase.objects.count()


def test_a_parameter_that_makes_half_the_book_liquidatable_liquidates_nobody() -> None:
    """One approver is not enough for what the impact report has shown, and the instant passes without it."""
    assert cases_after(ruinous_proposal(), BOB) == 0
    assert not MarginResult.objects.filter(run=newest_run(), status="liquidation").exists()
    assert violations() == []


def test_the_same_parameter_would_have_done_so_had_two_people_wanted_it() -> None:
    assert cases_after(ruinous_proposal(), BOB, CAROL) == len(SHARES)
