"""A pool process that was killed has its work looked for at once, rather than at the beat's next sweep."""

from typing import Any, Final

from celery import current_app
from celery.exceptions import WorkerLostError
from celery.signals import task_failure

_SWEEP: Final = "margin.tasks.sweep_runs"


@task_failure.connect(weak=False, dispatch_uid="lost-workers")
def look_for_work(exception: BaseException | None = None, **_others: Any) -> None:
    """Ask for a sweep; the pool's parent hears of the loss, and has no database connection of its own."""
    if isinstance(exception, WorkerLostError):
        current_app.send_task(_SWEEP)
