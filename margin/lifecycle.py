"""PURE: the life of a parameter version as a table of moves, and the state that a moment gives it.

draft -> proposed -> approved -> scheduled -> active -> superseded, with the ends rejected (a proposal) and
withdrawn (anything that is not in force yet). Whether a version is in force is a function of time over the
published ones; the states from `approved` on only mirror it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from margin.choices import VersionState

#: States of versions that are, were or will be in force.
PUBLISHED: Final = (
    VersionState.APPROVED,
    VersionState.SCHEDULED,
    VersionState.ACTIVE,
    VersionState.SUPERSEDED,
)

#: From each state, where a version may go; the database holds the same table in a trigger.
MOVES: Final[Mapping[VersionState, frozenset[VersionState]]] = {
    VersionState.DRAFT: frozenset({VersionState.PROPOSED, VersionState.WITHDRAWN}),
    VersionState.PROPOSED: frozenset({VersionState.APPROVED, VersionState.REJECTED, VersionState.WITHDRAWN}),
    VersionState.APPROVED: frozenset({VersionState.SCHEDULED, VersionState.WITHDRAWN}),
    VersionState.SCHEDULED: frozenset({VersionState.ACTIVE, VersionState.WITHDRAWN}),
    VersionState.ACTIVE: frozenset({VersionState.SUPERSEDED}),
    VersionState.SUPERSEDED: frozenset(),
    VersionState.REJECTED: frozenset(),
    VersionState.WITHDRAWN: frozenset(),
}


def may_move(state: VersionState, to: VersionState) -> bool:
    """Whether a version may go from one state to another in one step."""
    return to in MOVES[state]


def states_at(instants: Sequence[datetime], now: datetime) -> tuple[VersionState, ...]:
    """The state that each published version of a history mirrors; `instants` ascend, all different."""
    past = [moment <= now for moment in instants]
    return tuple(
        VersionState.SUPERSEDED
        if begun and followed
        else VersionState.ACTIVE
        if begun
        else VersionState.SCHEDULED
        for begun, followed in pairwise([*past, False])
    )


def steps_between(state: VersionState, to: VersionState) -> tuple[VersionState, ...]:
    """The states that a published version passes on its way, the last included; none for a way back."""
    return PUBLISHED[PUBLISHED.index(state) + 1 : PUBLISHED.index(to) + 1]
