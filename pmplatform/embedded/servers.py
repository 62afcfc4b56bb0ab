"""The private PostgreSQL and Redis-protocol server behind `make demo` and the tests."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pmplatform import environment
from pmplatform.embedded.postgres import postgres
from pmplatform.embedded.redis import redis


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
    data_dir: Path, *, durable: bool, environ: Mapping[str, str] = os.environ
) -> Iterator[Servers]:
    """The servers named by DATABASE_URL and REDIS_URL; for each that is unset, a private one in `data_dir`.

    Private servers end with the block or with this process, even when it is killed. A second process
    that wants the same directory waits for the first. Raises ServerFailed or ProgramMissing.
    """
    database_url = environment.text("DATABASE_URL", environ)
    redis_url = environment.text("REDIS_URL", environ)
    with ExitStack() as stack:
        if not (database_url and redis_url):
            lock = stack.enter_context(_locked(data_dir))
            database_url = database_url or stack.enter_context(postgres(data_dir, durable=durable, lock=lock))
            redis_url = redis_url or stack.enter_context(redis(data_dir, durable=durable, lock=lock))
        yield Servers(database_url, redis_url)


@contextmanager
def _locked(data_dir: Path) -> Iterator[int]:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
