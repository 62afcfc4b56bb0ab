"""The guards by themselves: table by table what a new snapshot is worth."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.engine.errors import Fault
from margin.guards import (
    Ages,
    Candidate,
    Decision,
    Jump,
    Limits,
    Memory,
    Verdict,
    held_reasons,
    judge,
    standing_of,
)

START = datetime(2025, 2, 3, 10, tzinfo=UTC)
TICK = timedelta(seconds=5)
AGES = Ages(max_age=timedelta(seconds=120), stuck_after=timedelta(seconds=300))
LIMITS = Limits(
    ages=AGES,
    stable_move=0.10,
    other_move=0.50,
    index_moves={"BTC": 0.24, "SOL": 0.36},
)
BTC, SOL, USDT = "index.BTC-USD", "index.SOL-USD", "fx.USDT"
CALM = {BTC: 100_000.0, SOL: 200.0, USDT: 1.0}
A, H, R = Verdict.ACCEPT, Verdict.HOLD, Verdict.RELEASE


def candidate(number: int, levels: Mapping[str, float], content: str = "") -> Candidate:
    return Candidate(START + number * TICK, content or f"{number}", levels)


def decide(last: Memory | None, new: Candidate) -> Decision:
    return judge(last, new, LIMITS, new.as_of)


def walk(*steps: Mapping[str, float]) -> list[Decision]:
    """The decisions on snapshots one after the other, the calm one first; each step names what differs."""
    decisions: list[Decision] = []
    last: Memory | None = None
    for number, step in enumerate([{}, *steps]):
        levels = {name: value for name, value in (CALM | dict(step)).items() if value}
        decisions.append(decide(last, candidate(number, levels)))
        last = decisions[-1].memory or last
    return decisions[1:]


STORIES: dict[str, tuple[list[Mapping[str, float]], list[Verdict]]] = {
    "a move at the limit of its class is none": ([{BTC: 124_000.0}, {BTC: 100_000.0}], [A, A]),
    "a move beyond the limit is confirmed": ([{BTC: 75_000.0}, {BTC: 74_000.0}], [H, R]),
    "a move beyond the limit returns": ([{BTC: 75_000.0}, {BTC: 99_000.0}, {BTC: 99_500.0}], [H, R, A]),
    "ten times the index, once": ([{BTC: 1_000_000.0}, {}], [H, R]),
    "ten times the index, for good": ([{BTC: 1_000_000.0}, {BTC: 1_010_000.0}, {BTC: 1e6}], [H, R, A]),
    "a tenth of the index": ([{BTC: 10_000.0}, {BTC: 9_900.0}], [H, R]),
    "a level that keeps jumping confirms nothing": (
        [{BTC: 1_000_000.0}, {BTC: 300_000.0}, {BTC: 310_000.0}],
        [H, H, R],
    ),
    "it may return to where it stood however often it jumped": (
        [{BTC: 1_000_000.0}, {BTC: 300_000.0}, {BTC: 101_000.0}],
        [H, H, R],
    ),
    "each class has its own limit": ([{SOL: 270.0}, {SOL: 130.0}, {SOL: 131.0}], [A, H, R]),
    "a stable currency at the limit": ([{USDT: 0.90}], [A]),
    "one venue prints a stable currency at 0.65": ([{USDT: 0.65}, {}], [H, R]),
    "a stable currency that stays where it fell": ([{USDT: 0.65}, {USDT: 0.66}], [H, R]),
    "a second level that jumps during a hold is held as well": (
        [{BTC: 1e6}, {BTC: 1e6, USDT: 0.65}, {BTC: 1e6, USDT: 0.65}],
        [H, H, R],
    ),
    "a gap hides no jump": ([{BTC: 0.0}, {BTC: 1e6}, {BTC: 1e6}], [A, H, R]),
    "a gap ends no hold": ([{BTC: 1e6}, {BTC: 0.0}, {}], [H, H, R]),
    "a depeg that walks is no jump": ([{USDT: 0.95}, {USDT: 0.90}, {USDT: 0.874}], [A, A, A]),
}


@pytest.mark.parametrize(("steps", "verdicts"), STORIES.values(), ids=STORIES.keys())
def test_what_the_guards_say_as_the_market_goes_on(
    steps: Sequence[Mapping[str, float]], verdicts: list[Verdict]
) -> None:
    assert [decision.verdict for decision in walk(*steps)] == verdicts


def test_a_hold_says_what_jumped_from_where_to_where() -> None:
    [first] = walk({BTC: 1_000_000.0, USDT: 0.65})
    assert first.memory is not None
    assert first.memory.held == {BTC: Jump(100_000.0, 1_000_000.0), USDT: Jump(1.0, 0.65)}
    assert held_reasons(first.memory.held) == (
        "fx.USDT jumped from 1 to 0.65, which is not confirmed",
        "index.BTC-USD jumped from 100000 to 1000000, which is not confirmed",
    )


def test_a_coin_of_no_class_has_the_limit_of_the_others() -> None:
    assert (LIMITS.of("index.BTC-USDC"), LIMITS.of("index.PEPE-USD"), LIMITS.of("fx.USDC")) == (
        0.24,
        0.50,
        0.10,
    )


LAST = Memory(START, "0", START, CALM)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e13, 1e-13])
def test_a_value_that_is_not_finite_or_out_of_range_is_refused(value: float) -> None:
    decision = decide(LAST, candidate(1, CALM | {BTC: value}))
    assert (decision.verdict, decision.memory) == (Verdict.REFUSE, None)
    assert [fault.path for fault in decision.faults] == ["market.index.BTC-USD"]


def test_a_refusal_names_every_fault_and_every_missing_instrument() -> None:
    late = Candidate(START - TICK, "x", CALM, missing=("Y", "X"), faults=(Fault("market.fx", "is wrong"),))
    assert [str(fault) for fault in decide(LAST, late).faults] == [
        "market.fx: is wrong",
        "market.instruments: lacks X, which is in use",
        "market.instruments: lacks Y, which is in use",
        "as_of: is older than the last snapshot, of 2025-02-03T10:00:00+00:00",
    ]


def test_a_second_snapshot_of_the_same_moment_is_accepted() -> None:
    assert decide(LAST, candidate(0, CALM)).verdict == Verdict.ACCEPT


def test_a_snapshot_ahead_of_the_clock_is_refused_lest_it_shut_out_all_that_follow() -> None:
    ahead = candidate(1, CALM)
    assert judge(LAST, ahead, LIMITS, ahead.as_of - AGES.max_age).verdict == Verdict.ACCEPT
    late = judge(LAST, ahead, LIMITS, ahead.as_of - AGES.max_age - TICK)
    assert [str(fault) for fault in late.faults] == ["as_of: is ahead of the clock"]


def test_a_refused_snapshot_leaves_a_hold_as_it_was() -> None:
    held, refused, back = walk({BTC: 1e6}, {BTC: math.nan}, {})
    assert [step.verdict for step in (held, refused, back)] == [H, Verdict.REFUSE, R]


def test_content_unchanged_for_the_limit_is_stuck_until_it_changes() -> None:
    last: Memory | None = None
    stuck = []
    for minute in range(62):
        content = "same" if minute <= 60 else "other"
        new = Candidate(START + timedelta(minutes=minute), content, CALM)
        last = decide(last, new).memory
        assert last is not None
        stuck.append(last.is_stuck(AGES))
        standing = standing_of(last, AGES, new.as_of)
        assert standing.is_stale == stuck[-1] == (not standing.is_fresh)
    assert stuck == [False] * 5 + [True] * 56 + [False]


def test_age_alone_makes_stale() -> None:
    at_limit = standing_of(LAST, AGES, START + AGES.max_age)
    beyond = standing_of(LAST, AGES, START + timedelta(seconds=121))
    assert (at_limit.word, at_limit.reasons) == ("fresh", ())
    assert (beyond.word, beyond.reasons) == ("stale", ("market data is 121 s old, more than 120 s",))


def test_a_standing_gives_every_reason() -> None:
    memory = Memory(START + timedelta(seconds=300), "0", START, CALM, {USDT: Jump(1.0, 0.65)})
    standing = standing_of(memory, AGES, START + timedelta(seconds=500))
    assert (standing.word, standing.is_stale, standing.is_held) == ("hold", True, True)
    assert standing.reasons == (
        "market data is 200 s old, more than 120 s",
        "fx.USDT jumped from 1 to 0.65, which is not confirmed",
        "market data has not changed since 2025-02-03 10:00:00Z",
    )


PRICES = st.floats(min_value=1e-3, max_value=1e6)


@given(st.lists(PRICES, min_size=2, max_size=12))
def test_no_two_prints_beyond_the_limit_of_each_other_are_ever_believed_at_once(prices: list[float]) -> None:
    last: Memory | None = None
    for number, price in enumerate(prices):
        decision = decide(last, candidate(number, {BTC: price}))
        memory = decision.memory
        assert memory is not None
        if last is not None and not last.held and abs(price / last.levels[BTC] - 1.0) > 0.24:
            assert decision.verdict == Verdict.HOLD
        if decision.verdict == Verdict.RELEASE and last is not None:
            jump = last.held[BTC]
            assert min(abs(price / jump.seen - 1.0), abs(price / jump.before - 1.0)) <= 0.24
        last = memory
