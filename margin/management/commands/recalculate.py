"""`recalculate`: margin the whole book, or some accounts, with the workers that are running, and watch it."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Max
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from accounts import selectors as accounts
from margin import selectors
from margin.choices import PartKind, RunReason, RunState
from margin.engine.errors import DocumentError
from margin.models import MarginRun
from margin.services.runs import run_start
from margin.tasks import enqueue, enqueue_changes
from pmplatform.common.commands import BAD_INPUT, FAILED, PlatformCommand

_POLL_SECONDS = 0.1
COLUMNS = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


class Command(PlatformCommand):
    help = "Margin every account at the newest snapshot, by the Celery workers, with a progress bar."

    def add_arguments(self, parser: CommandParser) -> None:
        whom = parser.add_mutually_exclusive_group()
        whom.add_argument("--all", action="store_true", help="every account, by a run (the default)")
        whom.add_argument(
            "--account",
            type=int,
            nargs="+",
            metavar="ID",
            help="these alone, at the newest arrays; one margined at them as it stands is left as it is",
        )
        parser.add_argument(
            "--timeout", type=float, default=300.0, help="seconds to wait for the run (default 300)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["timeout"]
        if options["account"]:
            self._some(sorted(set(options["account"])), deadline)
        else:
            self._all(deadline)

    def _all(self, deadline: float) -> None:
        try:
            parts = run_start(reason=RunReason.MANUAL, actor=self.actor)
        except DocumentError as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        run = MarginRun.objects.latest("id")
        enqueue(parts)
        watch(run.pk, deadline=deadline)
        run.refresh_from_db()
        if run.state != RunState.COMPLETED:
            reason = run.failure or "not finished in time; are workers running?"
            raise CommandError(f"run {run.pk} is {run.state}: {reason}", returncode=FAILED)
        assert run.finished_at is not None
        seconds = (run.finished_at - run.created_at).total_seconds()
        self.stdout.write(
            f"run {run.pk}: {run.accounts} accounts in {seconds:.2f} s, result {run.result_sha256}"
        )

    def _some(self, ids: list[int], deadline: float) -> None:
        if unknown := sorted(set(ids) - accounts.ledger_positions(ids).keys()):
            raise CommandError(f"--account: there is no account {unknown[0]}", returncode=BAD_INPUT)
        base = selectors.run_with_arrays()
        if base is None:
            raise CommandError(
                "no run has stressed a snapshot yet: recalculate --all first", returncode=FAILED
            )
        before = selectors.runs_blocking(base.snapshot_id).aggregate(newest=Max("pk", default=0))["newest"]
        enqueue_changes(ids)
        refused = _await_some(ids, base.snapshot_id, after=before, deadline=deadline)
        standing = selectors.results_standing(base.snapshot_id).filter(account__in=ids)
        margined = {result.account_id: result for result in standing.order_by("account_id", "pk")}
        for pk, result in margined.items():
            self.stdout.write(f"account {pk}: {result.status}, MMR {result.mmr} USD, by run {result.run_id}")
        if left := sorted(set(ids) - margined.keys()):
            reasons = (refused.get(pk, "not margined in time; are workers running?") for pk in left)
            told = [f"account {pk}: {reason}" for pk, reason in zip(left, reasons, strict=True)]
            raise CommandError("\n".join(told), returncode=FAILED)


def _await_some(ids: list[int], snapshot: int, *, after: int, deadline: float) -> dict[int, str]:
    """Show how many of the accounts are done; those that a run later than ``after`` refused, with the reason.

    What an earlier run refused tells nothing: since then the account may have changed, and it is tried again.
    """
    standing = selectors.results_standing(snapshot).filter(account__in=ids)
    with Progress(*COLUMNS) as progress:
        bar = progress.add_task("accounts", total=len(ids))
        while True:
            margined = set(standing.values_list("account_id", flat=True))
            rows = selectors.runs_blocking(snapshot).filter(pk__gt=after).values_list("blocked", flat=True)
            refused = {int(pk): reason for blocked in rows for pk, reason in blocked.items()}
            done = margined | (refused.keys() & set(ids))
            progress.update(bar, completed=len(done))
            if len(done) == len(ids) or time.monotonic() > deadline:
                return refused
            time.sleep(_POLL_SECONDS)


def watch(run_id: int, *, deadline: float) -> None:
    """Show a run's progress by stage until it ends or `deadline` (monotonic seconds) passes."""
    with Progress(*COLUMNS) as progress:
        bars = {
            kind: progress.add_task(
                kind.label.lower(), total=selectors.run_parts(run_id).filter(kind=kind).count()
            )
            for kind in PartKind
        }
        while time.monotonic() < deadline:
            finished = MarginRun.objects.filter(pk=run_id, state__in=RunState.ended()).exists()
            for kind, bar in bars.items():
                done = selectors.run_parts(run_id).filter(kind=kind, state="done").count()
                progress.update(bar, completed=done)
            if finished:
                return
            time.sleep(_POLL_SECONDS)
