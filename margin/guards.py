"""What a new market snapshot is worth, seen from the last one. Pure: values in, a decision out.

A snapshot is refused, accepted, or accepted with a HOLD: a level of the market (an index, or the rate of a
stable currency) has moved further between two snapshots than markets do, and one print alone is not believed.
The hold ends with the first snapshot that is within the limit of where the level jumped to, or of where it
stood before. A snapshot that confirms nothing extends it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from margin.engine.documents.market import PRICE_CEILING, PRICE_FLOOR, MarketRows
from margin.engine.errors import Fault

_INDEX: Final = "index."
_FX: Final = "fx."


class Verdict(StrEnum):
    """What the guards say of a new snapshot; RELEASE accepts it and ends a hold."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    HOLD = "hold"
    RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Ages:
    """How old a snapshot may be, and from when on the same content means a market that stands still."""

    max_age: timedelta
    stuck_after: timedelta


@dataclass(frozen=True)
class Limits:
    """How far the market may move between snapshots.

    ``index_moves`` gives the largest relative move of a coin's indices; a coin that it lacks has
    ``other_move``. ``stable_move`` is that of the rate of a stable currency.
    """

    ages: Ages
    stable_move: float
    other_move: float
    index_moves: Mapping[str, float] = field(default_factory=dict)

    def of(self, level: str) -> float:
        """The largest relative move of a level that is no jump."""
        if level.startswith(_FX):
            return self.stable_move
        coin = level.removeprefix(_INDEX).rpartition("-")[0]
        return self.index_moves.get(coin, self.other_move)


@dataclass(frozen=True, slots=True)
class Jump:
    """A level that has jumped: where it stood before, and where it was seen last."""

    before: float
    seen: float


@dataclass(frozen=True)
class Candidate:
    """A snapshot to be judged.

    ``content`` identifies all that the market says, whenever it says so. ``missing`` are the instruments in
    use that it does not list, ``faults`` what reading it has found.
    """

    as_of: datetime
    content: str
    levels: Mapping[str, float]
    missing: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Memory:
    """What the guards keep of the last accepted snapshot.

    ``levels`` are the last known ones: what a snapshot leaves out is remembered, so that a gap hides no
    jump. ``held`` are the levels that have jumped and are not confirmed.
    """

    as_of: datetime
    content: str
    unchanged_since: datetime
    levels: Mapping[str, float]
    held: Mapping[str, Jump] = field(default_factory=dict)

    def is_stuck(self, ages: Ages) -> bool:
        """Whether the market has said the very same for too long."""
        return self.as_of - self.unchanged_since >= ages.stuck_after


@dataclass(frozen=True)
class Decision:
    """A verdict; ``memory`` is None for a refusal, whose ``faults`` say all that is wrong."""

    verdict: Verdict
    memory: Memory | None = None
    faults: tuple[Fault, ...] = ()


def market_levels(market: MarketRows) -> dict[str, float]:
    """The levels of a market (`index` and `fx` by name): `index.BTC-USD`, `fx.USDT`."""
    indices = {f"{_INDEX}{pair}": price for pair, price in market.index.items()}
    return indices | {f"{_FX}{currency}": rate for currency, rate in market.fx.items()}


def judge(last: Memory | None, new: Candidate, limits: Limits, now: datetime) -> Decision:
    """Judge a snapshot that arrives at `now`, after the last accepted one (None: it is the first)."""
    faults = (*new.faults, *_faults(last, new, limits, now))
    if faults:
        return Decision(Verdict.REFUSE, faults=faults)
    if last is None:
        return Decision(Verdict.ACCEPT, Memory(new.as_of, new.content, new.as_of, new.levels))
    held = _held(last, new.levels, limits)
    memory = Memory(
        as_of=new.as_of,
        content=new.content,
        unchanged_since=last.unchanged_since if new.content == last.content else new.as_of,
        levels={**last.levels, **new.levels},
        held=held,
    )
    if held:
        return Decision(Verdict.HOLD, memory)
    return Decision(Verdict.RELEASE if last.held else Verdict.ACCEPT, memory)


def _faults(last: Memory | None, new: Candidate, limits: Limits, now: datetime) -> list[Fault]:
    faults = [
        Fault(f"market.{name}", f"must be finite and in [{PRICE_FLOOR:g}, {PRICE_CEILING:g}]")
        for name, value in sorted(new.levels.items())
        if not (math.isfinite(value) and PRICE_FLOOR <= value <= PRICE_CEILING)
    ]
    faults += [Fault("market.instruments", f"lacks {name}, which is in use") for name in sorted(new.missing)]
    if last is not None and new.as_of < last.as_of:
        faults.append(Fault("as_of", f"is older than the last snapshot, of {last.as_of.isoformat()}"))
    if new.as_of - now > limits.ages.max_age:
        faults.append(Fault("as_of", "is ahead of the clock"))
    return faults


def _held(last: Memory, levels: Mapping[str, float], limits: Limits) -> dict[str, Jump]:
    """The levels that are held from here on; one that is not quoted any more keeps its hold."""
    held = {name: jump for name, jump in last.held.items() if name not in levels}
    for name, value in levels.items():
        limit, before = limits.of(name), last.levels.get(name)
        jump = last.held.get(name)
        if jump is not None:
            if _moved(jump.seen, value) > limit and _moved(jump.before, value) > limit:
                held[name] = Jump(jump.before, value)
        elif before is not None and _moved(before, value) > limit:
            held[name] = Jump(before, value)
    return held


def _moved(before: float, after: float) -> float:
    return abs(after / before - 1.0)


def released_reasons(held: Mapping[str, Jump], levels: Mapping[str, float]) -> tuple[str, ...]:
    """What ended every hold, in words, by level."""
    return tuple(
        f"{name} stands at {levels[name]:.8g}, after {jump.seen:.8g} and, before its jump, {jump.before:.8g}"
        for name, jump in sorted(held.items())
    )


def held_reasons(held: Mapping[str, Jump]) -> tuple[str, ...]:
    """Every hold in words, by level."""
    return tuple(
        f"{name} jumped from {jump.before:.8g} to {jump.seen:.8g}, which is not confirmed"
        for name, jump in sorted(held.items())
    )


@dataclass(frozen=True)
class Standing:
    """How far a snapshot can be relied on at a moment.

    Stale data is served with its age, and moves nothing; the same holds while a level is held.
    """

    age: timedelta
    is_old: bool
    is_stuck: bool
    held: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def is_stale(self) -> bool:
        """Whether it is too old, or of a market that stands still."""
        return self.is_old or self.is_stuck

    @property
    def is_held(self) -> bool:
        return bool(self.held)

    @property
    def is_fresh(self) -> bool:
        """Whether accounts may be moved by it."""
        return not (self.is_stale or self.is_held)

    @property
    def word(self) -> str:
        """`hold`, `stale` or `fresh`."""
        return "hold" if self.is_held else "stale" if self.is_stale else "fresh"


def standing_of(memory: Memory, ages: Ages, now: datetime) -> Standing:
    """How a snapshot stands at `now`, by what the guards kept of it."""
    age = now - memory.as_of
    is_old, is_stuck = age > ages.max_age, memory.is_stuck(ages)
    held = held_reasons(memory.held)
    reasons = list(held)
    if is_old:
        reasons.insert(0, f"market data is {_seconds(age)} s old, more than {_seconds(ages.max_age)} s")
    if is_stuck:
        since = memory.unchanged_since.strftime("%Y-%m-%d %H:%M:%SZ")
        reasons.append(f"market data has not changed since {since}")
    return Standing(age, is_old, is_stuck, held, tuple(reasons))


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f}"
