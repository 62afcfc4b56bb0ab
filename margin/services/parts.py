"""Working on one part of a run: claimed with lease and fence, finished only by the fence's holder."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from margin import selectors
from margin.choices import PartKind, PartState, RunState
from margin.codec import decode_book, encode_arrays
from margin.engine.market import Market
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import margin_shard, partition, stress_unit
from margin.engine.report import ENGINE_VERSION
from margin.engine.units import Partition
from margin.models import Blob, MarginRunPart
from margin.services.arrays import unit_arrays
from margin.services.blobs import blob_store
from margin.services.results import results_write
from margin.services.runs import run_advance, run_fail, runs_fail_late
from margin.services.standard import standard_beside
from pmplatform.common.errors import StaleClaim

LEASE: Final = timedelta(seconds=60)
MAX_ATTEMPTS: Final = 5


@dataclass(frozen=True)
class Claim:
    """A part held by this worker while its fence is the part's."""

    part: MarginRunPart
    fence: int


def part_claim(*, part_id: int, kind: PartKind) -> Claim | None:
    """Claim a part that waits, or whose lease has ended; None when somebody else has it or it is done."""
    now = timezone.now()
    free = Q(state=PartState.PENDING) | Q(state=PartState.CLAIMED, lease_until__lt=now)
    claimed = MarginRunPart.objects.filter(
        free, pk=part_id, kind=kind, attempts__lt=MAX_ATTEMPTS, run__state=kind.value
    ).update(
        state=PartState.CLAIMED,
        attempts=F("attempts") + 1,
        fence=F("fence") + 1,
        lease_until=now + LEASE,
        started_at=now,
    )
    if not claimed:
        return None
    part = MarginRunPart.objects.select_related("run__snapshot", "parameters").get(pk=part_id)
    return Claim(part, part.fence)


def part_finish(*, claim: Claim) -> list[int]:
    """Mark a claimed part done and move its run on; returns the parts to be worked on next.

    Call it inside the transaction that writes the part's effects.

    Raises
    ------
    StaleClaim
        When the lease ended and another worker took the part: nothing of this one may be written.
    """
    done = MarginRunPart.objects.filter(pk=claim.part.pk, fence=claim.fence, state=PartState.CLAIMED).update(
        state=PartState.DONE, finished_at=timezone.now(), lease_until=None, failure=""
    )
    if not done:
        raise StaleClaim(f"part {claim.part.pk} is no longer held with fence {claim.fence}")
    return run_advance(run_id=claim.part.run_id)


def part_fail(*, claim: Claim, failure: str) -> None:
    """Record why an attempt failed; the sweeper tries again until the attempts are used up."""
    MarginRunPart.objects.filter(pk=claim.part.pk, fence=claim.fence, state=PartState.CLAIMED).update(
        lease_until=timezone.now(), failure=failure
    )


def stress(*, claim: Claim) -> list[int]:
    """Fan-out 1: compute a risk unit's arrays, unless equal ones are stored already."""
    part = claim.part
    units, market, parameters = _setting(part)
    name = part.name.partition("/")[2]
    unit = next(unit for unit in units.units if unit.name == name)
    if not Blob.objects.filter(pk=part.input_key).exists():
        content = encode_arrays(stress_unit(market, unit, parameters))
        blob_store(key=part.input_key, content=content)
    with transaction.atomic():
        return part_finish(claim=claim)


def margin(*, claim: Claim) -> list[int]:
    """Fan-out 2: margin a shard of accounts and write its results."""
    part = claim.part
    content = selectors.blob(part.input_key)
    if content is None:
        raise StaleClaim(f"shard {part.input_key} of part {part.pk} is not stored")
    book, provenance = decode_book(content)
    units, market, parameters = _setting(part)
    arrays = {
        number: unit_arrays(
            snapshot=part.run.snapshot, market=market, unit=units.units[number], parameters=parameters
        )
        for number in units.held_by(book)
    }
    shard = margin_shard(book, market, parameters, units, arrays)
    standard = standard_beside(run=part.run, version=part.parameters_id, book=book, shard=shard)
    with transaction.atomic():
        results_write(
            run=part.run, parameters=parameters, shard=shard, standard=standard, provenance=provenance
        )
        return part_finish(claim=claim)


def _setting(part: MarginRunPart) -> tuple[Partition, Market, Parameters]:
    """Risk units, market and parameters of a part."""
    if part.run.engine != ENGINE_VERSION:
        raise StaleClaim(f"run {part.run_id} is of engine {part.run.engine}, this worker of {ENGINE_VERSION}")
    parameters = selectors.parameters_read(part.parameters_id)
    market = selectors.snapshot_market(part.run.snapshot_id).to_market()
    return partition(market, parameters), market, parameters


def parts_sweep() -> list[int]:
    """Quarantine parts out of attempts, fail their runs and late ones; returns the parts to wake again."""
    now = timezone.now()
    runs_fail_late(now=now)
    lost = MarginRunPart.objects.filter(
        state=PartState.CLAIMED, lease_until__lt=now, run__state__in=[RunState.STRESS, RunState.MARGIN]
    )
    for part in lost.filter(attempts__gte=MAX_ATTEMPTS).order_by("id"):
        MarginRunPart.objects.filter(pk=part.pk, fence=part.fence, state=PartState.CLAIMED).update(
            state=PartState.QUARANTINED, finished_at=now
        )
        run_fail(
            run_id=part.run_id,
            failure=f"{part} failed {part.attempts} times: {part.failure or 'worker lost'}",
        )
    waiting = MarginRunPart.objects.filter(
        Q(state=PartState.PENDING) | Q(state=PartState.CLAIMED, lease_until__lt=now), run__state=F("kind")
    )
    return list(waiting.order_by("id").values_list("id", flat=True))
