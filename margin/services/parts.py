"""Working on one part of a run: claimed with lease and fence, finished only by the fence's holder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, F, Func, IntegerField, OuterRef, Q, Subquery
from django.utils import timezone

from margin.choices import PartKind, PartState, RunState
from margin.codec import decode_book, encode_arrays
from margin.engine.pipeline import stress_unit
from margin.engine.report import ENGINE_VERSION
from margin.models import Blob, MarginRunPart, Session
from margin.services.blobs import blob_read, blob_store
from margin.services.margining import Margining, margining_by
from margin.services.results import results_write, shard_results
from margin.services.runs import run_advance, run_fail, runs_fail_late
from margin.services.standard import standard_beside
from pmplatform.common.errors import StaleClaim
from pmplatform.common.locking import transaction_idle_limit

LEASE: Final = timedelta(seconds=60)
MAX_ATTEMPTS: Final = 5
_OWN_SESSION: Final = Func(function="pg_backend_pid", output_field=IntegerField())


@dataclass(frozen=True)
class Claim:
    """A part held by this worker while its fence is the part's."""

    part: MarginRunPart
    fence: int


def part_claim(*, part_id: int, kind: PartKind) -> Claim | None:
    """Claim a part that waits, or whose holder is lost; None when somebody else has it or it is done.

    A part of another engine's run is left, untried, to workers of that engine.
    """
    now = timezone.now()
    free = Q(state=PartState.PENDING) | _lost(now)
    ours = Q(run__state=kind.value, run__engine=ENGINE_VERSION)
    claimed = MarginRunPart.objects.filter(
        free, ours, pk=part_id, kind=kind, attempts__lt=MAX_ATTEMPTS
    ).update(
        state=PartState.CLAIMED,
        attempts=F("attempts") + 1,
        fence=F("fence") + 1,
        lease_until=now + LEASE,
        holder_pid=_OWN_SESSION,
        holder_since=Subquery(Session.objects.filter(pid=_OWN_SESSION).values("backend_start")),
        started_at=now,
    )
    if not claimed:
        return None
    part = MarginRunPart.objects.select_related("run__snapshot", "parameters").get(pk=part_id)
    return Claim(part, part.fence)


def part_finish(*, claim: Claim, result_sha256: str = "") -> list[int]:
    """Mark a claimed part done and move its run on; returns the parts to be worked on next.

    Call it inside the transaction that writes the part's effects, with the hash over them.

    Raises
    ------
    StaleClaim
        When the lease ended and another worker took the part: nothing of this one may be written.
    """
    done = MarginRunPart.objects.filter(pk=claim.part.pk, fence=claim.fence, state=PartState.CLAIMED).update(
        state=PartState.DONE,
        finished_at=timezone.now(),
        lease_until=None,
        result_sha256=result_sha256,
        failure="",
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
    desk, name = _desk(part), part.name.partition("/")[2]
    unit = next(unit for unit in desk.units.units if unit.name == name)
    if not Blob.objects.filter(pk=part.input_key).exists():
        content = encode_arrays(stress_unit(desk.market, unit, desk.parameters))
        blob_store(key=part.input_key, content=content)
    with transaction.atomic():
        transaction_idle_limit()
        return part_finish(claim=claim)


def margin(*, claim: Claim) -> list[int]:
    """Fan-out 2: margin a shard of accounts and write its results."""
    part = claim.part
    content = blob_read(key=part.input_key)
    if content is None:
        raise StaleClaim(f"shard {part.input_key} of part {part.pk} is not stored")
    book, positions = decode_book(content)
    desk = _desk(part)
    shard = desk.margin_book(book)
    results = shard_results(
        part=part,
        parameters=desk.parameters,
        book=book,
        shard=shard,
        standard=standard_beside(run=part.run, version=part.parameters_id, book=book, shard=shard),
        positions=positions,
    )
    with transaction.atomic():
        transaction_idle_limit()
        results_write(results=results)
        return part_finish(claim=claim, result_sha256=results.sha256)


def _desk(part: MarginRunPart) -> Margining:
    """Market, parameters and risk units of a part."""
    return margining_by(snapshot=part.run.snapshot_id, version=part.parameters_id)


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
    waiting = MarginRunPart.objects.filter(Q(state=PartState.PENDING) | _lost(now), run__state=F("kind"))
    return list(waiting.order_by("id").values_list("id", flat=True))


def next_stage(*, part_ids: Sequence[int], kind: PartKind) -> list[int]:
    """Those among some parts that are of another kind."""
    others = MarginRunPart.objects.filter(pk__in=part_ids).exclude(kind=kind)
    return list(others.order_by("id").values_list("id", flat=True))


def parts_abandoned(*, run_id: int) -> list[int]:
    """The parts of a run whose workers are lost, for whoever of the others is the first to look."""
    lost = MarginRunPart.objects.filter(_lost(timezone.now()), run=run_id, run__state=F("kind"))
    return list(lost.order_by("id").values_list("id", flat=True))


def _lost(now: datetime) -> Q:
    """Claims that nobody works on any more: their lease has ended or, mostly long before, their session.

    Who only seems to be lost, behind a pooler that closed its session, say, is stopped by the fence.
    """
    at_work = Session.objects.filter(
        Q(backend_start=OuterRef("holder_since")) | Q(backend_start__isnull=True), pid=OuterRef("holder_pid")
    )
    is_gone = Q(~Exists(at_work), holder_pid__isnull=False)
    return Q(Q(lease_until__lt=now) | is_gone, state=PartState.CLAIMED)
