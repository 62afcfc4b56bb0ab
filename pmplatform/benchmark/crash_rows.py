"""The row of a run whose workers are killed, beside the same run undisturbed."""

import os
import signal
import time
from contextlib import suppress
from typing import Final

from celery import current_app

from margin.choices import PartKind, PartState
from margin.models import MarginRun
from pmplatform.benchmark.measures import Measure, Quantity, at_most
from pmplatform.benchmark.running import RunFailed, run_timed

_KILL_SECONDS: Final = 5.0


class Killer:
    """Kills one process of a worker's pool after the first shard of a run, then one every five seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._due: float | None = None
        self.kills = 0

    def __call__(self, run: MarginRun) -> None:
        """Look at the run, and kill when it is time."""
        now = time.perf_counter()
        if self._due is None and _has_begun(run):
            self._due = now
        if self._due is not None and now >= self._due:
            self._due = now + _KILL_SECONDS
            with suppress(ProcessLookupError):
                os.kill(_pool(self._name)[0], signal.SIGKILL)
                self.kills += 1


def crash_measure(accounts: int, name: str) -> Measure:
    """The same run twice by the worker of that name: undisturbed, and while its processes are killed."""
    calm = run_timed()
    killer = Killer(name)
    harmed = run_timed(meanwhile=killer)
    if calm.run.result_sha256 != harmed.run.result_sha256:
        raise RunFailed(f"{harmed.run} ended in another hash than {calm.run}")
    if not killer.kills:
        raise RunFailed("nobody was killed")
    return at_most(
        f"run of {accounts:,} accounts, a worker process killed every {_KILL_SECONDS:.0f} s",
        Quantity(harmed.seconds, "s"),
        Quantity(calm.seconds, "s", "undisturbed"),
        2.0,
        f"{killer.kills} killed, the first after one shard; the same result hash",
    )


def _has_begun(run: MarginRun) -> bool:
    return run.parts.filter(kind=PartKind.MARGIN, state=PartState.DONE).exists()


def _pool(name: str) -> list[int]:
    """The process ids of a worker's pool, as it tells them."""
    [stats] = (current_app.control.inspect(destination=[name], limit=1, timeout=5.0).stats() or {}).values()
    processes: list[int] = stats["pool"]["processes"]
    return processes
