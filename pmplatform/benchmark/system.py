"""The platform's own processes, as in production, on the benchmark's servers."""

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

from pmplatform.embedded.process import LOOPBACK, free_port, supervised
from pmplatform.embedded.web import responds

WORKERS: Final = 2
#: Names the file whose bytes the raw site returns.
VARIABLE: Final = "BENCHMARK_BYTES"
_NO_LIMIT: Final = {"PM_RATE_LIMIT": "100000000"}
#: The web server as the composition of `docker/` runs it.
_AS_COMPOSED: Final = ("--workers=2", "--blocking-threads=8")
_QUEUES: Final = "stress,margin,liquidation,housekeeping"


@contextmanager
def workers(processes: int = WORKERS, data_dir: Path | None = None) -> Iterator[str]:
    """A Celery worker with so many processes, on a data directory of its own if one is given; its name."""
    name = f"{uuid.uuid4().hex}@benchmark"
    command = ["-m", "celery", "--app=pmplatform", "worker", "--loglevel=INFO"]
    options = [f"--queues={_QUEUES}", f"--concurrency={processes}", f"--hostname={name}", "--without-mingle"]
    extra = {} if data_dir is None else {"PM_DATA_DIR": str(data_dir)}
    with _running([*command, *options], f"{name} ready", extra=extra):
        yield name


@contextmanager
def whole_system() -> Iterator[str]:
    """Workers, relay and web server; yields the address of the API."""
    port = free_port()
    serve = ["-m", "granian", "--interface=wsgi", f"--host={LOOPBACK}", f"--port={port}", *_AS_COMPOSED]
    relay = [str(settings.BASE_DIR / "manage.py"), "outbox_relay"]
    with ExitStack() as stack:
        stack.enter_context(workers())
        stack.enter_context(_running(relay, "is relayed"))
        stack.enter_context(_running([*serve, "pmplatform.wsgi:application"], "", port))
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
    command: list[str], word: str, port: int | None = None, extra: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A process of this interpreter, ready once its log says `word` or something answers at the port."""
    with tempfile.TemporaryDirectory(prefix="pm-process-") as directory:
        log = Path(directory) / "output.log"
        with supervised(
            [sys.executable, *command],
            stop_signal="SIGTERM",
            log=log,
            answers=lambda: word in log.read_text(errors="replace") and (port is None or responds(port)),
            environment=os.environ | _NO_LIMIT | dict(extra or {}),
        ):
            yield
