"""Incidents as they have happened elsewhere: nobody is liquidated because of them."""

from copy import deepcopy
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.documents import FillDocument
from accounts.models import Account
from liquidation.models import LiquidationCase
from liquidation.services.reviews import run_review
from margin.choices import RunReason
from margin.models import MarginResult
from margin.services import runs
from margin.services.fills import fill_record
from margin.services.market import snapshot_accept
from tests.liquidation.queue.support import OFFICER, SWAP, at, directional, stored
from tests.margin.test_runs import work_through
from tests.margin.world import newest_run

pytestmark = pytest.mark.django_db(transaction=True)

HEALTHY = directional(400_000)


def seen(market: dict[str, Any], seconds: float) -> str:
    """Accept a snapshot, margin and review by it at once; the account's status at that market."""
    now = at(seconds)
    snapshot_accept(market=market, as_of=now, source="tests")
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
