"""The row of a run whose workers are killed, beside the same run undisturbed."""

import os
import signal
import time
from contextlib import suppress
from statistics import median
from typing import Final

from celery import current_app
from django.conf import settings

from margin.choices import PartState, RunState
from margin.models import MarginRun
from margin.tasks import run_margin, sweep_runs
from pmplatform.benchmark.measures import Measure, Quantity, at_most
from pmplatform.benchmark.running import RunFailed, run_timed

_KILL_SECONDS: Final = 5.0
_PAIRS: Final = 3
#: As often as the scheduler of a platform sends it.
_SWEEP_SECONDS: Final[float] = settings.CELERY_BEAT_SCHEDULE["sweep-runs"]["schedule"]


class Killer:
    """Kills a process of a worker's pool once it holds a shard of a run, then one every five seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._due = 0.0
        self._sweep_due = time.perf_counter() + _SWEEP_SECONDS
        self.kills = 0

    def __call__(self, run: MarginRun) -> None:
        """Look at the run, and kill when it is time."""
        now = time.perf_counter()
        if now >= self._sweep_due:
            self._sweep_due = now + _SWEEP_SECONDS
            sweep_runs.delay()
        if run.state == RunState.MARGIN and now >= self._due and self._killed_one(run):
            self._due = now + _KILL_SECONDS
            self.kills += 1

    def _killed_one(self, run: MarginRun) -> bool:
        """Whether a holder of a shard was found; it is halted before we look again at what it holds."""
        for part, process in _at_work(self._name).items():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
                holds = run.parts.filter(pk=part, state=PartState.CLAIMED).exists()
                os.kill(process, signal.SIGKILL if holds else signal.SIGCONT)
                if holds:
                    return True
        return False


def crash_measure(accounts: int, name: str) -> Measure:
    """By turns, the same run by the worker of that name undisturbed, and while its processes are killed."""
    killers = [Killer(name) for _ in range(_PAIRS)]
    turns = [(run_timed(), run_timed(meanwhile=killer)) for killer in killers]
    calm, harmed = zip(*turns, strict=True)
    if len({timed.run.result_sha256 for timed in (*calm, *harmed)}) != 1:
        raise RunFailed("a run whose workers were killed ended in another hash")
    if not all(killer.kills for killer in killers):
        raise RunFailed("nobody was killed")
    return at_most(
        f"run of {accounts:,} accounts, a worker process killed every {_KILL_SECONDS:.0f} s",
        Quantity(median(timed.seconds for timed in harmed), "s"),
        Quantity(median(timed.seconds for timed in calm), "s", "undisturbed"),
        2.0,
        f"{sum(killer.kills for killer in killers)} killed in {_PAIRS} runs, each while it held a shard; "
        "the same result hash",
    )


def _at_work(name: str) -> dict[int, int]:
    """The process of a worker's pool that is at each part of a run, by the part's id, as the worker tells."""
    tasks = current_app.control.inspect(destination=[name], limit=1, timeout=5.0).active() or {}
    return {
        task["args"][0]: task["worker_pid"]
        for task in tasks.get(name, [])
        if task["name"] == run_margin.name and task["worker_pid"]
    }
