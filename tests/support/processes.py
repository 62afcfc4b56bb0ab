"""Real workers beside a test, on the test's own database and Redis database.

A worker sees only what is committed, so such a test is `@pytest.mark.django_db(transaction=True)`.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

from django.db import connection

from pmplatform.celery import app
from pmplatform.embedded.supervisor import PR_SET_PDEATHSIG

CHECKOUT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
STOP_SECONDS = 10
PING_SECONDS = 0.5


class WorkerFailed(RuntimeError):
    """A worker ended or stayed silent while starting; the message ends with its log."""


def child_environment() -> dict[str, str]:
    """The environment of a child process that is to share this test's databases."""
    server = urlsplit(os.environ["DATABASE_URL"])
    database = quote(str(connection.settings_dict["NAME"]))
    return os.environ | {"DATABASE_URL": server._replace(path=f"/{database}").geturl()}


@contextlib.contextmanager
def celery_worker(*queues: str, concurrency: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """Run one worker on `queues` until the block ends, entering the block once it answers.

    It leads a process group of its own, so that `os.killpg(worker.pid, ...)` reaches its pool as well; it may
    be dead when the block ends. Raises WorkerFailed.
    """
    name = f"{uuid.uuid4().hex}@test"
    with tempfile.TemporaryFile() as log:
        worker = _started(name, queues, concurrency, log)
        try:
            _wait_until_it_answers(name, worker, log)
            yield worker
        finally:
            _stop(worker)


def _started(name: str, queues: tuple[str, ...], concurrency: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    options = [f"--hostname={name}", f"--queues={','.join(queues)}", f"--concurrency={concurrency}"]
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "pmplatform", "worker", "--loglevel=INFO", *options],
        cwd=CHECKOUT,
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # No worker outlives a test run that was killed.
        preexec_fn=partial(ctypes.CDLL(None).prctl, PR_SET_PDEATHSIG, int(signal.SIGTERM)),  # noqa: PLW1509
    )


def _wait_until_it_answers(name: str, worker: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not app.control.ping(destination=[name], timeout=PING_SECONDS):
        if worker.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise WorkerFailed(log.read().decode(errors="replace")[-4_000:])


def _stop(worker: subprocess.Popen[bytes]) -> None:
    worker.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
