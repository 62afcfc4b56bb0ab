"""Workers that die, or stop, at named points: processes, each forked off one that has loaded the platform.

A program of theirs calls `fork_workers`; a test runs it with `killed_at` or `stopped_at`.
"""

import argparse
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

from pmplatform.common import locking
from tests.support.processes import CHECKOUT, child_environment

#: How a worker ends that dies.
DEAD: Final = 9
#: After how long the database gives up on one that stops within a transaction: sooner than in earnest.
IDLE_LIMIT_SECONDS: Final = 4
#: What becomes of a worker at its point.
ENDS: Final[dict[str, Callable[[], None]]] = {
    "die": lambda: os._exit(DEAD),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
}


def options_reader() -> argparse.ArgumentParser:
    """What every such program is told: the manner of the end, and the points."""
    reader = argparse.ArgumentParser()
    reader.add_argument("manner", choices=sorted(ENDS))
    reader.add_argument("points", nargs="+")
    return reader


def end_after(target: str, end: Callable[[], None]) -> None:
    """Have this process end right after a function (`module:name`) has returned for the first time."""
    module, name = target.split(":")
    owner = import_module(module)
    act = getattr(owner, name)

    def act_and_end(*args: Any, **kwargs: Any) -> Any:
        result = act(*args, **kwargs)
        # Who was only stopped goes on to the end.
        setattr(owner, name, act)
        end()
        return result

    setattr(owner, name, act_and_end)


def fork_workers(points: list[str], work: Callable[[str], None]) -> None:
    """Fork a worker for each point, one after another; lines tell its id, whether it stopped, its status."""
    locking.IDLE_LIMIT_SECONDS = IDLE_LIMIT_SECONDS
    for point in points:
        process = os.fork()
        if not process:
            # Nothing of the parent's is flushed or closed by its child.
            os._exit(_status(work, point))
        _say(process)
        status = os.waitpid(process, os.WUNTRACED)[1]
        if os.WIFSTOPPED(status):
            _say("stopped")
            status = os.waitpid(process, 0)[1]
        _say(os.waitstatus_to_exitcode(status))


def _status(work: Callable[[str], None], point: str) -> int:
    try:
        work(point)
    except Exception:  # told, as a worker's log would
        traceback.print_exc()
        return 1
    return 0


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def killed_at(module: str, points: list[str], *words: str) -> dict[str, int]:
    """How the workers of a program ended that were to die, one after another, at these points."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words, "die", *points],
        cwd=CHECKOUT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(zip(points, map(int, done.stdout.split()[1::2]), strict=True))


@contextmanager
def stopped_at(module: str, point: str, *words: str) -> Iterator[Callable[[], None]]:
    """A worker that has stopped at a point; the block is given how to let it go on to its end."""
    with subprocess.Popen(
        [sys.executable, "-m", module, *words, "stop", point],
        cwd=CHECKOUT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())

        def go_on() -> None:
            os.kill(worker, signal.SIGCONT)
            process.wait()

        try:
            assert process.stdout.readline() == "stopped\n", "its point was never reached"
            yield go_on
        finally:
            # Neither outlives a test that fails.
            if process.poll() is None:
                os.kill(worker, signal.SIGKILL)
