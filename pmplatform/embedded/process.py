"""A private server process: a free loopback port, a supervisor that outlives us only to stop it, a log."""

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pmplatform.embedded import supervisor

LOOPBACK = "127.0.0.1"
START_SECONDS = 120
POLL_SECONDS = 0.05
LOG_TAIL_CHARACTERS = 2_000


class ServerFailed(RuntimeError):
    """A private server ended or stayed silent while starting; the message ends with its log."""


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def new_password() -> str:
    """A random text of 64 characters, more than the fifty below which Django warns of a secret key."""
    return secrets.token_urlsafe(48)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner ever could read."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text, encoding="utf-8")


@contextmanager
def supervised(
    command: Sequence[str],
    *,
    stop_signal: str,
    log: Path,
    lock: int | None = None,
    answers: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a server until the block ends or this process dies, entering the block once it answers.

    `lock`, if given, is a descriptor that the supervisor keeps open, so that a lock on the data directory
    lasts until the server is really gone. Raises ServerFailed.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-I", supervisor.__file__, stop_signal, *command],
            stdin=subprocess.PIPE,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[] if lock is None else [lock],
            # Ctrl-C must reach us alone: we still need the servers for an orderly end.
            start_new_session=True,
        )
    try:
        _wait(process, log, answers)
        yield
    finally:
        process.communicate()


def _wait(process: subprocess.Popen[bytes], log: Path, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(encoding="utf-8", errors="replace")[-LOG_TAIL_CHARACTERS:]
            raise ServerFailed(f"{log.stem} did not start:\n{tail}")
        time.sleep(POLL_SECONDS)
