"""Runs by the workers at hand, timed from the start to their end."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from margin.choices import RunReason, RunState
from margin.models import MarginRun
from margin.services.runs import run_start
from margin.tasks import enqueue

#: To look at a run takes a core that its workers need: we wait a hundredth of its time, within these.
_POLL_SECONDS: Final = 0.005
_LONGEST_POLL: Final = 0.1
_PATIENCE_SECONDS: Final = 600.0
#: Directories of what this host keeps.
KEPT: Final = ("book", "blobs")


class RunFailed(RuntimeError):
    """A run of the benchmark did not complete; the message says why."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A completed run: the seconds until its parts were written, and until the end of all."""

    run: MarginRun
    start: float
    seconds: float


def run_timed(meanwhile: Callable[[MarginRun], object] | None = None) -> Timed:
    """Make a run over the newest snapshot; `meanwhile` is called again and again."""
    started = time.perf_counter()
    part_ids = run_start(reason=RunReason.MANUAL)
    start = time.perf_counter() - started
    enqueue(part_ids)
    run = MarginRun.objects.latest("id")
    while run.state not in RunState.ended():
        lasted = time.perf_counter() - started
        if lasted > _PATIENCE_SECONDS:
            raise RunFailed(f"run {run.pk} is {run.state} after {_PATIENCE_SECONDS:.0f} s")
        time.sleep(min(max(_POLL_SECONDS, lasted / 100.0), _LONGEST_POLL))
        if meanwhile is not None:
            meanwhile(run)
        run.refresh_from_db(fields=["state", "failure", "result_sha256"])
    if run.state != RunState.COMPLETED:
        raise RunFailed(run.failure)
    return Timed(run, start, time.perf_counter() - started)


def kept_forget() -> None:
    """Remove the shards and arrays that this host has kept: the next run is a cold one."""
    for name in KEPT:
        shutil.rmtree(Path(settings.PM_DATA_DIR) / name, ignore_errors=True)
