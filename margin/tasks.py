"""Celery tasks: ids in, a service call, the next parts enqueued. A lost message costs time, nothing else."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from celery import shared_task
from django.utils import timezone

from margin import selectors, versions
from margin.choices import PartKind, RunReason
from margin.market_states import snapshots
from margin.models import MarginRunPart
from margin.services.changes import BATCH, accounts_behind, accounts_remargin
from margin.services.eligibility import eligibility_review
from margin.services.impacts import impact_finish
from margin.services.parts import (
    Claim,
    margin,
    next_stage,
    part_claim,
    part_fail,
    parts_abandoned,
    parts_sweep,
    stress,
)
from margin.services.publishing import run_start_if_due
from margin.services.retention import runs_prune
from margin.services.runs import run_start
from margin.services.settlement import settlements_run
from margin.services.versions import versions_mirror
from margin.waiting import waiting_add, waiting_finish, waiting_take
from pmplatform.common.errors import StaleClaim

#: How long a worker stays with changes before its next task.
TURN_SECONDS = 1.0
#: How long changes gather between two batches of a turn; one that comes to a worker at rest does not wait.
GATHER_SECONDS = 0.01


def enqueue(part_ids: Iterable[int]) -> None:
    """Wake workers for parts, each on the queue of its kind."""
    kinds = dict(MarginRunPart.objects.filter(pk__in=list(part_ids)).order_by("id").values_list("id", "kind"))
    for part_id, kind in kinds.items():
        task = run_stress if kind == PartKind.STRESS else run_margin
        task.delay(part_id)


def enqueue_changes(account_ids: Sequence[int]) -> None:
    """Have workers margin accounts that have changed: one that is at it, or is called, takes all of them.

    Of more than one takes at once, others are called as well.
    """
    calls = len(account_ids) // BATCH + waiting_add(account_ids)
    for _ in range(calls):
        margin_changes.delay()


def enqueue_conclusions() -> None:
    """Wake a worker for what ended runs have left to do: reviews, impact reports, a snapshot that waits."""
    for run_id in selectors.runs_unreviewed():
        review_run.delay(run_id)
    for report_id in versions.impacts_ready():
        finish_impact.delay(report_id)
    if selectors.snapshot_waits():
        start_due_run.delay()


def _work(part_id: int, kind: PartKind, act: Callable[..., list[int]]) -> None:
    """Claim a part, act on it, and wake what follows; why an attempt failed stays with the part."""
    claim: Claim | None = part_claim(part_id=part_id, kind=kind)
    if claim is None:
        return
    try:
        following = act(claim=claim)
    except StaleClaim:
        return
    except Exception as error:
        part_fail(claim=claim, failure=f"{type(error).__name__}: {error}"[:2000])
        raise
    # Those of the same stage have had their messages when it began.
    enqueue([*next_stage(part_ids=following, kind=kind), *parts_abandoned(run_id=claim.part.run_id)])
    if not following:
        enqueue_conclusions()


@shared_task
def run_stress(part_id: int) -> None:
    """Stress one risk unit of a run."""
    _work(part_id, PartKind.STRESS, stress)


@shared_task
def run_margin(part_id: int) -> None:
    """Margin one shard of a run."""
    _work(part_id, PartKind.MARGIN, margin)


@shared_task
def margin_changes() -> None:
    """Margin the accounts that have changed and wait, batch by batch, until none is left.

    What changes while a batch is in work is the next one: it grows with the load, and so its cost for each
    change falls. After a while others have their turn before the rest.
    """
    until = time.monotonic() + TURN_SECONDS
    while time.monotonic() < until:
        if account_ids := waiting_take(BATCH):
            accounts_remargin(account_ids=account_ids)
            time.sleep(GATHER_SECONDS)
        elif waiting_finish():
            return
    margin_changes.delay()


@shared_task
def review_run(run_id: int) -> None:
    """Review the eligibility of a completed run's accounts, and margin those that have changed meanwhile."""
    eligibility_review(run_id=run_id, now=timezone.now())
    sweep_accounts.delay()


@shared_task
def finish_impact(report_id: int) -> None:
    """Write an impact report whose runs have ended."""
    impact_finish(report_id=report_id, now=timezone.now())


@shared_task
def mirror_versions() -> None:
    """Let the states of parameter versions follow the clock."""
    versions_mirror(now=timezone.now())


@shared_task
def sweep_runs() -> None:
    """Wake the parts, and what follows runs, whose worker or message was lost."""
    enqueue(parts_sweep())
    enqueue_conclusions()


@shared_task
def sweep_accounts() -> None:
    """Margin the accounts whose newest result does not show them as they are."""
    enqueue_changes(accounts_behind())


@shared_task
def start_scheduled_run() -> None:
    """Start the hourly run that refreshes MR1 and MR6: once an hour, however many beats ask how often.

    After an outage the hour that is gets its run, and those that were missed get none.
    """
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    if snapshots().exists():
        enqueue(run_start(reason=RunReason.HOURLY, period=hour))


@shared_task
def start_due_run() -> None:
    """Start a run over the newest snapshot, unless one is under way or has been."""
    enqueue(run_start_if_due())


@shared_task
def prune_runs() -> None:
    """Forget the runs of passing snapshots."""
    runs_prune()


@shared_task
def settle_expired() -> None:
    """Settle what has expired, a batch of accounts at a time."""
    settlements_run(now=datetime.now(UTC))
