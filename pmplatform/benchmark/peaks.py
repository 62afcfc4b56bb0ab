"""Peak memory of this process and of all it has started, as the kernel keeps it."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_PEAK: Final = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_FORGET: Final = "5"


class Peaks:
    """Asked again and again, it keeps the highest, even of processes that have ended since."""

    def __init__(self) -> None:
        (Path("/proc") / "self" / "clear_refs").write_text(_FORGET)
        self._ours = os.getpid()
        self._most: dict[int, float] = {}

    def look(self) -> None:
        """Look at every process once."""
        for process in _family(self._ours):
            with suppress(OSError):
                found = _PEAK.search((Path("/proc") / str(process) / "status").read_text())
                if found is not None:
                    self._most[process] = int(found[1]) / 2**20

    @property
    def own(self) -> float:
        """GiB of this process."""
        return self._most[self._ours]

    @property
    def started(self) -> float:
        """GiB of the largest of the processes that it has started."""
        return max(most for process, most in self._most.items() if process != self._ours)


def _family(process: int) -> Iterator[int]:
    yield process
    for children in (Path("/proc") / str(process) / "task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))
