"""Publishing a snapshot: it is judged, stored, and margined by a run as soon as the last one has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from django.db import IntegrityError, transaction

from margin import selectors
from margin.choices import RunReason
from margin.engine.documents.schema import Faults, Instant
from margin.market_states import snapshots
from margin.models import MarketSnapshot
from margin.services.market import snapshot_accept
from margin.services.runs import run_was_taken, run_write
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor
from pmplatform.common.transactions import one_view

#: Topic of the outbox: there is a snapshot to be margined.
SNAPSHOT_PUBLISHED: Final = "snapshot.published"


@dataclass(frozen=True)
class SnapshotDocument:
    """What is published: a market object with its time and, where some expired, settlement prices."""

    as_of: datetime
    market: Any
    settlement: Any = None

    @classmethod
    def of(cls, document: Any, *, besides: bool = False) -> Self:
        """Read a document of these fields; ``besides`` lets others stand beside them, as a book's do.

        Raises
        ------
        DocumentError
            With every fault; those inside of market and settlement are found when it is published.
        """
        faults = Faults()
        fields = document if isinstance(document, Mapping) else {}
        if fields is not document:
            faults.add("", "must be an object")
        for name in sorted(fields.keys() - {"as_of", "market", "settlement"}):
            if not besides:
                faults.add(name, "unknown field")
        for name in ("as_of", "market"):
            if name not in fields:
                faults.add(name, "is required")
        as_of = Instant().read(fields["as_of"], "as_of", faults) if "as_of" in fields else None
        faults.raise_if_any()
        assert as_of is not None
        return cls(as_of, fields["market"], fields.get("settlement"))


@transaction.atomic
def snapshot_publish(*, document: SnapshotDocument, source: str, actor: Actor) -> MarketSnapshot:
    """Accept a snapshot as `snapshot_accept` does, and tell of it: a run follows without further asking."""
    snapshot = snapshot_accept(
        market=document.market,
        as_of=document.as_of,
        source=source,
        actor=actor,
        settlement=document.settlement,
    )
    outbox_append(topic=SNAPSHOT_PUBLISHED, payload={"snapshot": snapshot.pk})
    return snapshot


def run_start_if_due() -> list[int]:
    """Start a run over the newest snapshot; returns the ids of the parts to be worked on now.

    While a run is under way, and where one has margined this snapshot, nothing is started: the newest
    snapshot waits, and those that another overtakes are skipped. However many ask at once, one run starts.
    """
    try:
        with one_view():
            snapshot = snapshots().first()
            if snapshot is None or not selectors.snapshot_waits():
                return []
            return run_write(reason=RunReason.SNAPSHOT, period=snapshot.received_at)
    except IntegrityError as error:
        if run_was_taken(error):
            return []
        raise
