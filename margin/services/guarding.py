"""The guards at work: judge what comes in, and keep what they did."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.utils import timezone

from accounts.selectors import instruments_in_use
from margin.choices import GuardKind
from margin.codec import content_key
from margin.engine.documents.market import MarketRows
from margin.engine.errors import DocumentError, Fault
from margin.guards import Candidate, Memory, held_reasons, judge, market_levels, released_reasons
from margin.market_states import age_limits, guard_limits
from margin.models import MarketGuardEvent, MarketSnapshot
from pmplatform.common.errors import ValidationFailed

#: Reasons of one event that are kept; a document may have a hundred thousand faults.
_REASONS: Final = 100


def guard_judge(
    *,
    before: Memory | None,
    as_of: datetime,
    rows: MarketRows | None,
    content: bytes,
    faults: Sequence[Fault],
) -> Memory:
    """What the guards keep of a snapshot that they let pass; ``rows`` is None where it cannot be read.

    Raises
    ------
    DocumentError
        When they refuse it, with every fault.
    """
    listed = {} if rows is None else rows.places
    missing = [] if rows is None else [code for code in instruments_in_use(at=as_of) if code not in listed]
    candidate = Candidate(
        as_of=as_of,
        content=content_key(content),
        levels={} if rows is None else market_levels(rows),
        missing=tuple(missing),
        faults=tuple(faults),
    )
    decision = judge(before, candidate, guard_limits(as_of), timezone.now())
    if decision.memory is None:
        raise DocumentError(decision.faults)
    return decision.memory


def guard_record(*, before: Memory | None, snapshot: MarketSnapshot, memory: Memory) -> None:
    """Keep what an accepted snapshot has changed: a hold begun, moved or ended, a market stuck or not."""
    if before is None:
        return
    ages = age_limits()
    if memory.held and memory.held != before.held:
        _event(GuardKind.HELD, snapshot, held_reasons(memory.held))
    elif before.held and not memory.held:
        _event(GuardKind.RELEASED, snapshot, released_reasons(before.held, memory.levels))
    stuck = memory.is_stuck(ages)
    if stuck != before.is_stuck(ages):
        since = f"{before.unchanged_since:%Y-%m-%d %H:%M:%S}Z"
        kind = GuardKind.STUCK if stuck else GuardKind.MOVING
        _event(kind, snapshot, [f"content {'is' if stuck else 'was'} unchanged since {since}"])


def _event(kind: GuardKind, snapshot: MarketSnapshot, reasons: Sequence[str]) -> None:
    MarketGuardEvent.objects.create(
        kind=kind,
        source=snapshot.source,
        as_of=snapshot.as_of,
        snapshot=snapshot,
        reasons=list(reasons),
    )


@contextmanager
def refusals_recorded(*, source: str, as_of: datetime | None) -> Iterator[None]:
    """Keep why a snapshot is refused; enter it outside of the transaction that the refusal undoes."""
    try:
        yield
    except (DocumentError, ValidationFailed) as refusal:
        faults = refusal.faults if isinstance(refusal, DocumentError) else refusal.errors
        reasons = [str(fault) for fault in faults[:_REASONS]]
        if len(faults) > _REASONS:
            reasons.append(f"and {len(faults) - _REASONS} more")
        MarketGuardEvent.objects.create(kind=GuardKind.REFUSED, source=source, as_of=as_of, reasons=reasons)
        raise
