"""Reads of how the market stands: the one place that says whether a snapshot may move anything."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from accounts.choices import Methodology
from margin import selectors
from margin.codec import content_key
from margin.engine.parameters.okx import OkxParameters
from margin.guards import Ages, Jump, Limits, Memory, Standing, market_levels, standing_of
from margin.models import MarketGuardEvent, MarketSnapshot, ParameterVersion

#: Whose MR1 moves say how far an index may move between snapshots.
_REFERENCE: Final = Methodology.OKX_2025


@dataclass(frozen=True)
class MarketState:
    """A snapshot and how far it can be relied on at a moment."""

    snapshot: MarketSnapshot
    standing: Standing

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it may move nothing; empty for a fresh one."""
        return self.standing.reasons

    @property
    def age_seconds(self) -> float:
        return self.standing.age.total_seconds()


def market_state(now: datetime) -> MarketState | None:
    """How the market stands by its newest snapshot; None before the first."""
    snapshot = snapshots().first()
    return None if snapshot is None else snapshot_state(snapshot, now)


def snapshot_state(snapshot: MarketSnapshot, now: datetime) -> MarketState:
    """How a snapshot stands by its own time, content and holds, whichever came after it."""
    memory = Memory(
        as_of=snapshot.as_of,
        content="",
        unchanged_since=snapshot.unchanged_since,
        levels={},
        held=_held(snapshot),
    )
    return MarketState(snapshot, standing_of(memory, age_limits(), now))


def guard_memory(snapshot: MarketSnapshot) -> Memory:
    """All that the guards know at a snapshot, to judge the next one by."""
    return Memory(
        as_of=snapshot.as_of,
        content=content_key(bytes(snapshot.content)),
        unchanged_since=snapshot.unchanged_since,
        levels={**snapshot.carried, **market_levels(selectors.snapshot_market(snapshot.pk))},
        held=_held(snapshot),
    )


def _held(snapshot: MarketSnapshot) -> dict[str, Jump]:
    return {level: Jump(*values) for level, values in snapshot.held.items()}


def age_limits() -> Ages:
    return Ages(max_age=settings.PM_SNAPSHOT_MAX_AGE, stuck_after=settings.PM_STUCK_SECONDS)


def guard_limits(at: datetime) -> Limits:
    """The limits in force: the platform's settings over the MR1 moves of okx-2025.

    Before its first version that one counts; without any, no index is held.
    """
    version = selectors.parameters_in_force(_REFERENCE, at) or _first(_REFERENCE)
    parameters = None if version is None else selectors.parameters_read(version.pk)
    largest, coins_of = {"other": math.inf}, {}
    if isinstance(parameters, OkxParameters):
        largest = {name: max(moves) for name, moves in parameters.price_moves.values.items()}
        classes = parameters.price_moves.classes
        coins_of = {"tier1": classes.tier1, "tier2": classes.tier2}
    factor = settings.PM_INDEX_JUMP
    return Limits(
        ages=age_limits(),
        stable_move=settings.PM_STABLE_JUMP,
        other_move=factor * largest["other"],
        index_moves={coin: factor * largest[name] for name, coins in coins_of.items() for coin in coins},
    )


def _first(methodology: str) -> ParameterVersion | None:
    versions = selectors.parameters_published().filter(methodology=methodology)
    return versions.order_by("effective_from").first()


def snapshots() -> QuerySet[MarketSnapshot]:
    """Accepted snapshots without their content, newest first."""
    return MarketSnapshot.objects.defer("content").order_by("-sequence")


def guard_events() -> QuerySet[MarketGuardEvent]:
    """What the guards have done, newest first."""
    return MarketGuardEvent.objects.order_by("-id")
