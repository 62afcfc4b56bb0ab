"""The guards over a real database: what is refused, held, told of, and moves no account."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import EligibilityTransition, EligibilityWatch, Instrument
from accounts.standings import account_by_id
from margin.choices import GuardKind
from margin.engine.errors import DocumentError
from margin.market_states import guard_limits, market_state
from margin.models import MarketGuardEvent, MarketSnapshot
from margin.services.eligibility import eligibility_review
from margin.services.guarding import refusals_recorded
from margin.services.market import snapshot_accept
from margin.services.orders import order_enter
from margin.services.transfers import transfer_record
from pmplatform.common.errors import Refused
from tests.margin import desks
from tests.margin.desks import SWAP, account_of, market, order, transfer
from tests.margin.falling import account_worth, linear_market, margined, moved
from tests.margin.world import ACTOR, AS_OF, world

pytestmark = pytest.mark.django_db(transaction=True)

TICK = timedelta(seconds=5)


def depegged(rate: float) -> dict[str, Any]:
    """The BTC market with USDT printed at a rate by one venue, its indices as they were."""
    return market() | {"fx": {"USDT": rate, "USDC": 1.0}}


def accept(document: Mapping[str, Any], ticks: int = 1) -> MarketSnapshot:
    return snapshot_accept(market=document, as_of=AS_OF + ticks * TICK, source="tests", actor=ACTOR)


def word(ticks: int = 1) -> str:
    state = market_state(AS_OF + ticks * TICK)
    assert state is not None
    return state.standing.word


def kinds() -> list[str]:
    return list(MarketGuardEvent.objects.order_by("id").values_list("kind", flat=True))


def test_the_limits_are_those_of_okx_2025_in_force() -> None:
    account_of()
    limits = guard_limits(AS_OF)
    assert [limits.of(f"index.{coin}-USD") for coin in ("BTC", "NOBODY")] == pytest.approx([0.24, 0.50])
    assert limits.of("fx.USDC") == 0.10
    assert guard_limits(AS_OF.replace(year=2020)) == limits


def test_every_instrument_in_use_that_is_missing_is_named_and_others_may_go() -> None:
    account_of({"USDT": "1000"}, [(SWAP, "1", "100000")], [(desks.FUTURE, "buy", "1", "90000")])
    without = market() | {"instruments": []}
    with pytest.raises(DocumentError) as refusal:
        accept(without)
    assert [str(fault) for fault in refusal.value.faults] == [
        f"market.instruments: lacks {desks.FUTURE}, which is in use",
        f"market.instruments: lacks {SWAP}, which is in use",
    ]
    rows = [row for row in market()["instruments"] if row["id"] in (SWAP, desks.FUTURE)]
    accept(market() | {"instruments": rows})
    assert Instrument.objects.filter(code=desks.CALL).exists()


def test_what_has_expired_is_in_use_no_more() -> None:
    account_of({"USDT": "1000"}, [(desks.FUTURE, "1", "100000")])
    assert desks.after_expiry().sequence


def test_ten_times_the_index_is_held_labelled_and_released_by_the_next() -> None:
    account_of()
    accept(market({"BTC-USD": 1_000_000.0}))
    assert word() == "hold"
    accept(market(), 2)
    assert word(2) == "fresh"
    assert kinds() == [GuardKind.HELD, GuardKind.RELEASED]
    held, released = MarketGuardEvent.objects.order_by("id")
    assert held.reasons == ["index.BTC-USD jumped from 100000 to 1000000, which is not confirmed"]
    assert released.reasons == [
        "index.BTC-USD stands at 100000, after 1000000 and, before its jump, 100000",
    ]


def test_one_venues_print_of_a_stable_currency_at_065_is_held() -> None:
    account_of()
    accept(depegged(0.65))
    state = market_state(AS_OF + TICK)
    assert state is not None
    assert state.reasons == ("fx.USDT jumped from 1 to 0.65, which is not confirmed",)


def test_an_index_that_is_left_out_for_a_while_is_compared_with_what_it_was() -> None:
    account_of()
    gap = market()
    gap["index"] = {"BTC-USD": 100_000.0}
    accept(gap)
    accept(market({"BTC-USDT": 1_000_000.0}), 2)
    assert word(2) == "hold"


def test_a_market_that_stands_still_is_stale_until_it_moves() -> None:
    account_of()
    words = []
    for ticks in range(1, 62):
        accept(market(), ticks)
        words.append(word(ticks))
    assert words == ["fresh"] * 59 + ["stale"] * 2
    accept(market({"BTC-USD": 100_001.0}), 62)
    assert word(62) == "fresh"
    assert kinds() == [GuardKind.STUCK, GuardKind.MOVING]


def test_a_refusal_is_kept_with_its_reasons_although_its_transaction_is_undone() -> None:
    account_of({}, [(SWAP, "1", "100000")])
    with (
        pytest.raises(DocumentError),
        refusals_recorded(source="feed", as_of=AS_OF),
        transaction.atomic(),
    ):
        snapshot_accept(market=market() | {"instruments": []}, as_of=AS_OF, source="feed", actor=ACTOR)
    event = MarketGuardEvent.objects.get()
    assert (event.kind, event.source, event.as_of, event.snapshot) == ("refused", "feed", AS_OF, None)
    assert event.reasons == [f"market.instruments: lacks {SWAP}, which is in use"]


def test_events_are_append_only_and_only_a_refusal_has_no_snapshot() -> None:
    account_of()
    accept(depegged(0.65))
    with pytest.raises(DatabaseError, match="append-only"):
        MarketGuardEvent.objects.update(kind="released")
    with pytest.raises(DatabaseError, match="guard_event_has_snapshot_unless_refused"):
        MarketGuardEvent.objects.create(kind="held", source="x", as_of=AS_OF)


@pytest.mark.parametrize(
    ("document", "seconds", "reason"),
    [(market({"BTC-USD": 130_000.0}), 5, "index.BTC-USD jumped"), (market(), 126, "121 s old")],
    ids=["hold", "stale"],
)
def test_what_adds_risk_or_takes_money_out_waits_for_a_market_to_trust(
    document: dict[str, Any], seconds: int, reason: str
) -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    accept(document)
    call: dict[str, Any] = {
        "account_id": account_id,
        "actor": desks.ACTOR,
        "now": AS_OF + timedelta(seconds=seconds),
    }
    with pytest.raises(Refused, match=reason):
        order_enter(order=order(SWAP, "buy", "1", "100000"), **call)
    with pytest.raises(Refused, match=reason):
        transfer_record(transfer=transfer("USDT", "-1"), **call)
    order_enter(order=order(SWAP, "sell", "1", "100000"), **call)
    transfer_record(transfer=transfer("USDT", "1"), **call)
    assert account_by_id(account_id=account_id).pk == account_id


def reviewed(document: Mapping[str, Any], ticks: int) -> int:
    as_of = AS_OF + ticks * TICK
    return eligibility_review(run_id=margined(document, as_of).pk, now=as_of)


def untouched() -> bool:
    moves = EligibilityTransition.objects.exclude(kind="loaded")
    return not (moves.exists() or EligibilityWatch.objects.exists())


def test_no_jump_moves_the_eligibility_of_an_account() -> None:
    world(linear_market(), AS_OF, [account_worth(15_000, "A")])
    for ticks, factor in enumerate((0.1, 1.0, 10.0, 1.0, 0.05, 0.2), start=1):
        assert reviewed(moved(linear_market(), factor), ticks) == 0
    assert untouched()


def test_a_market_stuck_for_an_hour_moves_the_eligibility_of_no_account() -> None:
    world(linear_market(), AS_OF, [account_worth(15_000, "A")])
    low = moved(linear_market(), 0.6)
    # One print of the low level, held; the prints that would confirm it come from a feed that is stuck.
    accept(low)
    step = timedelta(minutes=5)
    for number in range(1, 13):
        as_of = AS_OF + TICK + number * step
        assert eligibility_review(run_id=margined(low, as_of).pk, now=as_of) == 0
    assert untouched()
