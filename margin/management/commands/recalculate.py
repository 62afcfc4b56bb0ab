"""`recalculate`: margin the whole book with the workers that are running, and watch it."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from margin import selectors
from margin.choices import PartKind, RunReason, RunState
from margin.engine.errors import DocumentError
from margin.models import MarginRun
from margin.services.runs import run_start
from margin.tasks import enqueue
from pmplatform.common.commands import BAD_INPUT, FAILED, PlatformCommand

_POLL_SECONDS = 0.1


class Command(PlatformCommand):
    help = "Margin every account at the newest snapshot, by the Celery workers, with a progress bar."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--timeout", type=float, default=300.0, help="seconds to wait for the run (default 300)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            parts = run_start(reason=RunReason.MANUAL, actor=self.actor)
        except DocumentError as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        run = MarginRun.objects.latest("id")
        enqueue(parts)
        watch(run.pk, deadline=time.monotonic() + options["timeout"])
        run.refresh_from_db()
        if run.state != RunState.COMPLETED:
            reason = run.failure or "not finished in time; are workers running?"
            raise CommandError(f"run {run.pk} is {run.state}: {reason}", returncode=FAILED)
        assert run.finished_at is not None
        seconds = (run.finished_at - run.created_at).total_seconds()
        self.stdout.write(
            f"run {run.pk}: {run.accounts} accounts in {seconds:.2f} s, result {run.result_sha256}"
        )


def watch(run_id: int, *, deadline: float) -> None:
    """Show a run's progress by stage until it ends or `deadline` (monotonic seconds) passes."""
    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
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
