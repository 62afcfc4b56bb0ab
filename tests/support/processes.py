"""Processes of the platform for tests, started as in production and ended with their whole tree.

At the end of a block they are killed: that takes no time, and the platform loses nothing by it. A test of an
end in order calls `stop`.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
from django.db import connection

from pmplatform.embedded.process import LOOPBACK, free_port
from pmplatform.embedded.web import responds
from tests.support.waiting import PATIENCE_SECONDS, wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.05
ALL_QUEUES = ("stress", "margin", "liquidation", "housekeeping")


class ProcessFailed(RuntimeError):
    """A process ended or stayed silent while starting; the message ends with its output."""


@dataclass(frozen=True)
class PlatformProcess:
    """A running process, leader of its own process group; its output, and its name in the database."""

    process: subprocess.Popen[bytes]
    log: Path
    name: str
    ready: Callable[["PlatformProcess"], bool]

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_ready(self) -> None:
        """Return once the process does its work. Raises ProcessFailed."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ready(self):
            alive = self.process.poll() is None
            if not alive or time.monotonic() > deadline:
                raise ProcessFailed(f"{'silent' if alive else 'ended'}:\n{self.output()}")
            time.sleep(POLL_SECONDS)

    def signal_tree(self, number: signal.Signals) -> None:
        """Send a signal to the process and all its descendants, as `kill -9 -PGID` does."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def stop(self) -> int:
        """End in order, and by force after a while; the exit status, negative for a signal."""
        if self.process.poll() is None:
            self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(PATIENCE_SECONDS)
        return self.kill()

    def kill(self) -> int:
        """End at once, and return when the database has ended what it was asked for."""
        self.signal_tree(signal.SIGKILL)
        status = self.process.wait()
        with psycopg.connect(child_environment()["DATABASE_URL"], autocommit=True) as database:
            wait_until(lambda: not _is_connected(database, self.name))
        return status


def _is_connected(database: psycopg.Connection, name: str) -> bool:
    rows = database.execute("SELECT FROM pg_stat_activity WHERE application_name = %s", [name])
    return rows.fetchone() is not None


def child_environment() -> dict[str, str]:
    """This process's environment, with DATABASE_URL naming the database the test runs on."""
    server = urlsplit(os.environ["DATABASE_URL"])
    database = quote(str(connection.settings_dict["NAME"]))
    return os.environ | {"DATABASE_URL": server._replace(path=f"/{database}").geturl()}


@contextmanager
def running(
    command: Sequence[str],
    *,
    ready: Callable[[PlatformProcess], bool],
    extra: Mapping[str, str] | None = None,
    wait: bool = True,
) -> Iterator[PlatformProcess]:
    """Run a module of this interpreter (`["celery", ...]`), entering the block once `ready` says so.

    Without `wait` the block is entered at once, and the caller calls `wait_ready`. `extra` joins the
    environment. The kernel kills the process if the test's own dies. The test may have killed it when the
    block ends. Raises ProcessFailed.
    """
    name = uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="pm-process-") as directory:
        log = Path(directory) / "output.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", sys.executable, "-m", *command],
                cwd=CHECKOUT,
                env=child_environment() | {"PGAPPNAME": name} | dict(extra or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started = PlatformProcess(process, log, name, ready)
        try:
            if wait:
                started.wait_ready()
            yield started
        finally:
            started.kill()


def start_worker(
    queues: Sequence[str] = ALL_QUEUES,
    *,
    concurrency: int = 1,
    extra: Mapping[str, str] | None = None,
    wait: bool = True,
) -> AbstractContextManager[PlatformProcess]:
    """A Celery worker on the test's database and broker; use it as a context manager.

    The test needs `django_db(transaction=True)`: a worker sees committed rows only.
    """
    name = f"{uuid.uuid4().hex}@test"
    options = [f"--hostname={name}", f"--queues={','.join(queues)}", f"--concurrency={concurrency}"]
    command = ["celery", "--app=pmplatform", "worker", "--loglevel=INFO", "--without-mingle", *options]
    return running(command, ready=lambda worker: f"{name} ready" in worker.output(), extra=extra, wait=wait)


def start_relay(
    *, extra: Mapping[str, str] | None = None, wait: bool = True
) -> AbstractContextManager[PlatformProcess]:
    """The relay of the outbox on the test's database and broker; use it as a context manager."""
    return running(
        ["manage", "outbox_relay"],
        ready=lambda relay: "is relayed" in relay.output(),
        extra=extra,
        wait=wait,
    )


@contextmanager
def live_server(
    *, interface: str = "wsgi", static: Path | None = None, extra: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Granian serving the platform on loopback; yields the URL of its root.

    `interface` is wsgi or asgi, `static` a directory of collected files to be served below `/static`.
    """
    port = free_port()
    options = [f"--interface={interface}", f"--host={LOOPBACK}", f"--port={port}"]
    if static is not None:
        options += [f"--static-path-mount={static}", "--static-path-route=/static"]
    command = ["granian", *options, f"pmplatform.{interface}:application"]
    with running(command, ready=lambda _: responds(port), extra=extra):
        yield f"http://{LOOPBACK}:{port}"
