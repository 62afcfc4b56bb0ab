"""Interleaved timing: what is compared runs by turns, so that a slow moment of the machine hits both."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of work and comparison, one of each in every pair."""

    work: Sequence[float]
    comparison: Sequence[float]

    @property
    def seconds(self) -> float:
        """Median of the work."""
        return median(self.work)

    @property
    def compared(self) -> float:
        """Median of the comparison."""
        return median(self.comparison)


def seconds_of(call: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def processor_seconds(call: Callable[[], object]) -> float:
    """Seconds that this process computed during one call: what others do on the machine is left out."""
    started = time.process_time()
    call()
    return time.process_time() - started


def busy_seconds() -> float:
    """Seconds that the processors of the machine have worked since it started, for whomever."""
    totals = Path("/proc/stat").read_text(encoding="ascii").split(maxsplit=8)
    user, nice, system, _idle, _waiting, irq, softirq = map(int, totals[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def interleaved(work: Callable[[], object], comparison: Callable[[], object], pairs: int) -> Pairs:
    """Processor time of both by turns, after one call of each that is not counted."""
    work()
    comparison()
    timed = [(processor_seconds(work), processor_seconds(comparison)) for _ in range(pairs)]
    return Pairs(*zip(*timed, strict=True))


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest value that is not below so large a part of all."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]
