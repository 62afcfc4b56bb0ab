"""The demo's market walks over an expiry: what was held is settled once, and the accounts go on."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Account, Instrument, LedgerEntry, Position, Settlement
from accounts.selectors import instruments_in_use
from accounts.verification import ledger_mismatches
from margin.choices import RunReason, SettlementSource
from margin.models import MarginResult, SettlementPrice
from margin.services.market import parameters_load_initial
from margin.services.publishing import SnapshotDocument, snapshot_publish
from margin.services.runs import run_start
from margin.services.settlement import settlements_run
from pmplatform.demo.market import DemoMarket
from pmplatform.demo.stage import ACTOR, SOURCE, market_standing, stage
from tests.margin.test_runs import work_through
from tests.margin.world import newest_run

pytestmark = pytest.mark.django_db(transaction=True)

SEED = 3
MONDAY = datetime(2025, 2, 3, 12, tzinfo=UTC)
EXPIRY = datetime(2025, 2, 7, 8, tzinfo=UTC)


def tick(market: DemoMarket, to: datetime) -> None:
    """What the demo's feed does at a tick."""
    document = market.step((to - market.as_of).total_seconds())
    published = SnapshotDocument(market.as_of, document, market.settlement or None)
    snapshot_publish(document=published, source=SOURCE, actor=ACTOR)


def margined() -> None:
    work_through(run_start(reason=RunReason.MANUAL))


def held_until(expiry: datetime) -> set[tuple[int, int]]:
    """(account, instrument) of every position that expires by then."""
    held = Position.objects.filter(instrument__expiry__lte=expiry)
    return set(held.values_list("account_id", "instrument_id"))


def test_an_expiry_settles_every_position_once_and_blocks_nobody_for_longer() -> None:
    stage(accounts=120, seed=SEED, now=MONDAY)
    market = market_standing(seed=SEED)
    held = held_until(EXPIRY)
    assert len(held) > 10
    tick(market, EXPIRY - timedelta(seconds=2))
    tick(market, EXPIRY + timedelta(seconds=3))
    margined()
    assert {int(pk) for pk in newest_run().blocked} == {account for account, _ in held}
    while settlements_run(now=market.as_of):
        pass
    assert settlements_run(now=market.as_of) == 0
    assert set(Settlement.objects.values_list("account_id", "instrument_id")) == held
    assert Settlement.objects.count() == len(held)
    entries = LedgerEntry.objects.filter(kind="settlement", subject__startswith="position:")
    assert entries.count() == len(held)
    assert set(SettlementPrice.objects.values_list("source", flat=True)) == {SettlementSource.VENUE}
    assert not held_until(EXPIRY)
    assert list(ledger_mismatches()) == []
    margined()
    assert newest_run().blocked == {}
    assert MarginResult.objects.filter(run=newest_run()).count() == Account.objects.count()
    assert not Instrument.objects.filter(expiry__lte=market.as_of, state="listed").exists()


def test_a_feed_that_starts_again_goes_on_with_what_is_listed_and_held() -> None:
    stage(accounts=60, seed=SEED, now=MONDAY)
    market = market_standing(seed=SEED)
    for days in (2, 4, 6):
        tick(market, MONDAY + timedelta(days=days))
        while settlements_run(now=market.as_of):
            pass
    again = market_standing(seed=SEED)
    listed = {row["id"] for row in again.document()["instruments"]}
    assert again.as_of == market.as_of
    assert set(instruments_in_use(at=again.as_of)) <= listed
    assert listed == {row["id"] for row in market.document()["instruments"]}
    tick(again, again.as_of + timedelta(days=3))


def test_without_a_stage_there_is_no_market_to_go_on_with() -> None:
    parameters_load_initial(documents=[])
    with pytest.raises(LookupError):
        market_standing(seed=SEED)
