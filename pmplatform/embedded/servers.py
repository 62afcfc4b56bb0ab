"""The private PostgreSQL and Redis-protocol server behind `make demo` and the tests."""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pmplatform import environment
from pmplatform.embedded.postgres import postgres
from pmplatform.embedded.process import POLL_SECONDS, ServerFailed
from pmplatform.embedded.redis import redis
from pmplatform.embedded.supervisor import STOP_SECONDS


@dataclass(frozen=True)
class Servers:
    """Where the servers are, as the settings want it."""

    database_url: str
    redis_url: str

    def as_environment(self) -> dict[str, str]:
        """The variables a child process needs in order to use them."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@contextmanager
def embedded_servers(
    data_dir: Path, *, durable: bool, environ: Mapping[str, str] = os.environ, address: str = ""
) -> Iterator[Servers]:
    """The servers named by DATABASE_URL and REDIS_URL; for each that is unset, a private one in `data_dir`.

    Private servers listen on loopback and, if one is given, at an address of our network namespace.

    Private servers end with the block or with this process, even when it is killed. Another process that
    has the directory is given the time to end. Raises ServerFailed or ProgramMissing.
    """
    database_url = environment.text("DATABASE_URL", environ)
    redis_url = environment.text("REDIS_URL", environ)
    with ExitStack() as stack:
        if not (database_url and redis_url):
            lock = stack.enter_context(_locked(data_dir))
            database_url = database_url or stack.enter_context(
                postgres(data_dir, durable=durable, lock=lock, address=address)
            )
            redis_url = redis_url or stack.enter_context(
                redis(data_dir, durable=durable, lock=lock, address=address)
            )
        yield Servers(database_url, redis_url)


@contextmanager
def _locked(data_dir: Path) -> Iterator[int]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + 2 * STOP_SECONDS
    with (data_dir / "lock").open("w") as file:
        while not _acquired(file.fileno()):
            if time.monotonic() > deadline:
                raise ServerFailed(f"{data_dir} is in use by another process")
            time.sleep(POLL_SECONDS)
        yield file.fileno()


def _acquired(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
