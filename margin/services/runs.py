"""A margin run: cut the book, then two fan-outs of parts with a barrier in the database between them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import selectors as accounts
from accounts.choices import Methodology
from margin import selectors
from margin.choices import PartKind, PartState, RiskMode, RunReason, RunState
from margin.engine.hashing import sha256_of
from margin.engine.report import ENGINE_VERSION
from margin.models import MarginRun, MarginRunPart, MarketSnapshot, ParameterVersion
from margin.risk_states import EVERYWHERE
from margin.services.arrays import arrays_key
from margin.services.cutting import BookCut, Cut, book_cut
from margin.services.risk_states import risk_state_set
from margin.services.telling import closing_events, run_event
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Conflict, NotFound, Refused
from pmplatform.common.events import events_append
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor
from pmplatform.common.transactions import one_view

#: Topic of the outbox: a run was started by a request, which wakes no worker itself.
RUN_STARTED: Final = "run.started"
#: A run that has not ended by then has failed.
DEADLINE: Final = timedelta(minutes=15)


def run_start(*, reason: RunReason, period: datetime | None = None, actor: Actor | None = None) -> list[int]:
    """Start a run over the newest snapshot; returns the ids of the parts to be worked on now.

    ``actor`` is who asked for it; what the platform starts by itself has its reason in the run.

    Raises
    ------
    Refused
        When there is no snapshot yet.
    """
    try:
        with one_view():
            return run_write(reason=reason, period=period, actor=actor)
    except IntegrityError as error:
        if run_was_taken(error):
            return []
        raise


def run_was_taken(error: IntegrityError) -> bool:
    """Whether somebody else has started in between what only one may start."""
    return any(name in str(error) for name in ("run_once_per_period", "run_one_by_snapshot_at_a_time"))


def run_write(*, reason: RunReason, period: datetime | None = None, actor: Actor | None = None) -> list[int]:
    """As ``run_start``, inside of ``one_view``, which the caller opens.

    The whole book is read in one REPEATABLE READ transaction, so that every shard shows it at the same
    ledger position. A period that already has its run starts none. An account that cannot be margined is
    left out and stands in the run's `blocked` with the reason: it never stops the others.

    Raises
    ------
    Refused
        When there is no snapshot yet.
    """
    if period is not None and MarginRun.objects.filter(reason=reason, period=period).exists():
        return []
    snapshot = selectors.snapshot_latest()
    if snapshot is None:
        raise Refused(["There is no market snapshot to margin by; load one first."])
    cut = book_cut(snapshot=snapshot)
    standard = selectors.parameters_in_force(Methodology.STANDARD, snapshot.as_of)
    run = run_create(snapshot=snapshot, cut=cut, reason=reason, period=period, standard=standard)
    if actor is not None:
        _audit(run.pk, "start", actor)
    events_append(events=[run_event(run)], now=timezone.now())
    return run_advance(run_id=run.pk)


def run_create(
    *,
    snapshot: MarketSnapshot,
    cut: BookCut,
    reason: RunReason,
    period: datetime | None = None,
    standard: ParameterVersion | None = None,
) -> MarginRun:
    """Write a run over a cut of the book, with its parts; `standard` is what accounts are shown beside."""
    run = MarginRun.objects.create(
        snapshot=snapshot,
        standard_parameters=standard,
        engine=ENGINE_VERSION,
        ledger_position=accounts.ledger_position(),
        reason=reason,
        period=period,
        state=RunState.STRESS,
        accounts=sum(shard.accounts for shard in cut.shards),
        blocked=cut.blocked,
    )
    MarginRunPart.objects.bulk_create(_parts(run, snapshot, cut.shards))
    return run


def _parts(run: MarginRun, snapshot: MarketSnapshot, cuts: Sequence[Cut]) -> list[MarginRunPart]:
    """One stress part per risk unit that anybody holds, one margin part per shard."""
    units = {(cut.version.methodology, unit): cut.version for cut in cuts for unit in cut.units}
    stress = [
        MarginRunPart(
            run=run,
            kind=PartKind.STRESS,
            name=f"{name}/{unit}",
            parameters=version,
            input_key=arrays_key(snapshot.sha256, version.sha256, name, unit),
        )
        for (name, unit), version in sorted(units.items(), key=lambda entry: entry[0])
    ]
    margin = [
        MarginRunPart(
            run=run,
            kind=PartKind.MARGIN,
            name=cut.name,
            parameters=cut.version,
            input_key=cut.key,
            accounts=cut.accounts,
        )
        for cut in cuts
    ]
    return stress + margin


@transaction.atomic
def run_advance(*, run_id: int) -> list[int]:
    """Move a run past its barrier when its stage is done; returns the parts to be worked on now.

    The run's row lock makes this the only place where a run changes state, whoever calls it and how often.
    """
    run = MarginRun.objects.select_for_update().get(pk=run_id)
    if run.state == RunState.STRESS and not _unfinished(run, PartKind.STRESS):
        run.state = RunState.MARGIN
        run.save(update_fields=["state"])
    if run.state == RunState.MARGIN and not _unfinished(run, PartKind.MARGIN):
        run_close(run)
    kind = {RunState.STRESS: PartKind.STRESS, RunState.MARGIN: PartKind.MARGIN}.get(RunState(run.state))
    waiting = run.parts.filter(kind=kind, state=PartState.PENDING)
    return list(waiting.order_by("id").values_list("id", flat=True))


def _unfinished(run: MarginRun, kind: PartKind) -> bool:
    unfinished = run.parts.filter(kind=kind, state__in=[PartState.PENDING, PartState.CLAIMED])
    return unfinished.exists() or run.parts.filter(kind=kind, state=PartState.QUARANTINED).exists()


def run_close(run: MarginRun) -> None:
    """Complete a run whose results are all written, with the hash over what its parts gave."""
    parts = run.parts.filter(kind=PartKind.MARGIN).order_by("name")
    run.result_sha256 = sha256_of(list(parts.values_list("name", "result_sha256")))
    run.state = RunState.COMPLETED
    run.finished_at = timezone.now()
    run.save(update_fields=["state", "finished_at", "result_sha256"])
    events_append(events=closing_events(run), now=run.finished_at)


@transaction.atomic
def runs_announce(*, part_ids: Sequence[int]) -> None:
    """Have the relay wake workers for the runs of these parts: a request does not wait for a broker."""
    runs = MarginRunPart.objects.filter(pk__in=part_ids).order_by("run_id").values_list("run_id", flat=True)
    for run_id in runs.distinct():
        outbox_append(topic=RUN_STARTED, payload={"run": run_id})


@transaction.atomic
def run_fail(*, run_id: int, failure: str) -> None:
    """Close a run as failed, with the reason; its parts stay as they are, to be read.

    A failed hourly run puts the platform into hold, until a person has looked: nobody is liquidated while
    what everybody is margined by is in doubt.

    Raises
    ------
    LockTimeout
    """
    if _run_end(run_id, RunState.FAILED, failure) and selectors.run_get(run_id).reason == RunReason.HOURLY:
        risk_state_set(
            underlying=EVERYWHERE,
            mode=RiskMode.HOLD,
            reason=f"The hourly run {run_id} failed: {failure}",
            actor=Actor(name="system:runs", request_id=f"run-{run_id}"),
            now=timezone.now(),
        )


def runs_fail_late(*, now: datetime) -> None:
    """Close the runs that have not ended by their deadline."""
    late = MarginRun.objects.exclude(state__in=RunState.ended()).filter(created_at__lt=now - DEADLINE)
    for run_id in late.order_by("id").values_list("id", flat=True):
        run_fail(run_id=run_id, failure=f"It has not ended within {DEADLINE}.")


@transaction.atomic
def run_cancel(*, run_id: int, actor: Actor) -> None:
    """End a run that is under way; what its workers still write is never read.

    Raises
    ------
    NotFound
    Conflict
        When it has ended already.
    """
    if not MarginRun.objects.filter(pk=run_id).exists():
        raise NotFound("There is no such run.")
    if not _run_end(run_id, RunState.CANCELLED, f"Cancelled by {actor.name}."):
        raise Conflict("The run has ended already.")
    _audit(run_id, "cancel", actor)


def _audit(run_id: int, action: str, actor: Actor) -> None:
    audit_append(actor=actor, action=f"run.{action}", object_type="run", object_id=run_id, tenant_id=None)


def _run_end(run_id: int, state: RunState, failure: str) -> bool:
    """Move a run that is under way to an end short of completion; False where it has ended already."""
    now = timezone.now()
    moved = (
        MarginRun.objects.filter(pk=run_id)
        .exclude(state__in=RunState.ended())
        .update(state=state, finished_at=now, failure=failure)
    )
    if moved:
        run = selectors.run_get(run_id)
        events_append(events=[run_event(run)], now=now)
    return bool(moved)
