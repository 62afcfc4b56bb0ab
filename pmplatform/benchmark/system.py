"""The platform's own processes, as in production, on the benchmark's servers."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from django.conf import settings

from pmplatform.benchmark.namespaces import Network
from pmplatform.embedded.process import LOOPBACK, free_port, supervised
from pmplatform.embedded.web import responds

_T = TypeVar("_T")

WORKERS: Final = 2
#: Names the file whose bytes the raw site returns.
VARIABLE: Final = "BENCHMARK_BYTES"
_NO_LIMIT: Final = {"PM_RATE_LIMIT": "100000000"}
#: The web server as the composition of `docker/` runs it.
_AS_COMPOSED: Final = ("--workers=2", "--blocking-threads=8")
_QUEUES: Final = "stress,margin,liquidation,housekeeping"


@contextmanager
def together(*starting: AbstractContextManager[_T]) -> Iterator[list[_T]]:
    """Enter several blocks at once: their processes become ready side by side."""
    with ExitStack() as stack:
        with ThreadPoolExecutor() as threads:
            entered = list(threads.map(stack.enter_context, starting))
        yield entered


@contextmanager
def workers(
    processes: int = WORKERS, data_dir: Path | None = None, network: Network | None = None
) -> Iterator[str]:
    """A Celery worker with so many processes; yields its name.

    It has a data directory of its own, or is in the second namespace of a network, if one is given.
    """
    name = f"{uuid.uuid4().hex}@benchmark"
    command = ["-m", "celery", "--app=pmplatform", "worker", "--loglevel=INFO"]
    options = [f"--queues={_QUEUES}", f"--concurrency={processes}", f"--hostname={name}", "--without-mingle"]
    extra = {} if data_dir is None else {"PM_DATA_DIR": str(data_dir)}
    with _running([*command, *options], f"{name} ready", extra=extra, network=network):
        yield name


@contextmanager
def whole_system() -> Iterator[str]:
    """Workers, relay and web server; yields the address of the API."""
    port = free_port()
    serve = ["-m", "granian", "--interface=wsgi", f"--host={LOOPBACK}", f"--port={port}", *_AS_COMPOSED]
    relay = [str(settings.BASE_DIR / "manage.py"), "outbox_relay"]
    web = _running([*serve, "pmplatform.wsgi:application"], "", port)
    with together(workers(), _running(relay, "is relayed"), web):
        yield f"http://{LOOPBACK}:{port}/api/v1"


@contextmanager
def raw_site(file: Path) -> Iterator[str]:
    """A server that answers every reader of `/raw` with the bytes of a file; yields its address."""
    port = free_port()
    serve = ["-m", "granian", "--interface=wsgi", f"--host={LOOPBACK}", f"--port={port}"]
    with _running([*serve, "pmplatform.benchmark.raw_site:application"], "", port, {VARIABLE: str(file)}):
        yield f"http://{LOOPBACK}:{port}"


@contextmanager
def _running(
    command: list[str],
    word: str,
    port: int | None = None,
    extra: Mapping[str, str] | None = None,
    network: Network | None = None,
) -> Iterator[None]:
    """A process of this interpreter, ready once its log says `word` or something answers at the port.

    At the end it is killed with all its processes, which costs the platform nothing, and us no time.
    """
    whole = [sys.executable, *command]
    environment = os.environ | _NO_LIMIT | dict(extra or {})
    if network is not None:
        whole = network.in_second(whole)
        for name in ("DATABASE_URL", "REDIS_URL"):
            environment[name] = environment[name].replace(f"@{LOOPBACK}:", f"@{network.address}:")
    with tempfile.TemporaryDirectory(prefix="pm-process-") as directory:
        log = Path(directory) / "output.log"
        with supervised(
            whole,
            stop_signal="SIGKILL",
            log=log,
            answers=lambda: word in log.read_text(errors="replace") and (port is None or responds(port)),
            environment=environment,
        ):
            yield
