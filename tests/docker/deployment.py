"""The deployment without an engine: its scripts as processes, in the environment of the image."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError

from pmplatform.embedded.binaries import redis_program
from pmplatform.embedded.process import LOOPBACK, free_port, supervised
from tests.docker.composition import BIN, DOCKER, services
from tests.support.waiting import PATIENCE_SECONDS

SYSTEM_PATH = "/usr/bin:/bin"
# What each role says once it is up; to ask a starting one for its health would only slow it down.
READY = {
    "web": "Started worker",
    "stream": "Started worker",
    "flower": "Visit me at",
    "worker": " ready.",
    "relay": "is relayed",
    "webhooks": "are delivered",
    "beat": "beat: Starting...",
}


@dataclass(frozen=True)
class Deployment:
    """Secrets as files in `directory`, a broker started by our script, and a database of its own."""

    directory: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        """All that a container's process would see, and nothing of the test's own environment."""
        secrets = self.directory / "secrets"
        scratch = self.directory / "tmp"
        scratch.mkdir(exist_ok=True)
        return {
            "PATH": f"{BIN}:{SYSTEM_PATH}",
            "TMPDIR": str(scratch),
            "PM_DATA_DIR": str(scratch),
            "PM_BEHIND_PROXY": "true",
            "GRANIAN_HOST": LOOPBACK,
            "FLOWER_ADDRESS": LOOPBACK,
            "GRANIAN_PORT": str(self.port),
            "DATABASE_URL_FILE": str(secrets / "database_url"),
            "REDIS_URL_FILE": str(secrets / "redis_url"),
            "PM_SECRET_KEY_FILE": str(secrets / "secret_key"),
            "PM_TOKEN_PEPPER_FILE": str(secrets / "token_pepper"),
        }

    def run(self, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, from a directory that is not the checkout."""
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.directory,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def enter(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(DOCKER / "entrypoint.sh", *words, **environment)

    def is_healthy(self, service: str) -> bool:
        """What the service's health check says, run as the composition has it."""
        kind, program, *words = services()[service]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.run(DOCKER.parent / program, *words).returncode == 0

    def output(self, service: str) -> str:
        return self._log(service).read_text(encoding="utf-8", errors="replace")

    def _log(self, service: str) -> Path:
        return self.directory / f"{service}.log"

    def running(self, service: str) -> AbstractContextManager[None]:
        """The service by its command in the composition, entered once it is up."""
        return supervised(
            [str(DOCKER / "entrypoint.sh"), *services()[service]["command"]],
            stop_signal="SIGTERM",
            log=self._log(service),
            answers=lambda: READY[services()[service]["command"][0]] in self.output(service),
            environment=self.environment,
        )


@contextmanager
def deployment(directory: Path) -> Iterator[Deployment]:
    """Secrets, an empty database on the tests' server, and the broker."""
    subprocess.run([DOCKER / "make-secrets.sh", directory / "secrets"], check=True)
    with database() as database_url, broker(directory) as redis_url:
        (directory / "secrets" / "database_url").write_text(database_url, encoding="utf-8")
        (directory / "secrets" / "redis_url").write_text(redis_url, encoding="utf-8")
        yield Deployment(directory, free_port())


@contextmanager
def database() -> Iterator[str]:
    """The URL of a database that exists for the block."""
    server, name = urlsplit(os.environ["DATABASE_URL"]), f"docker_{uuid.uuid4().hex}"
    with psycopg.connect(server.geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def broker(directory: Path) -> Iterator[str]:
    """The broker by its script, configuration and user list, moved to loopback and a free port."""
    secrets, port = directory / "secrets", free_port()
    url = (secrets / "redis_url").read_text(encoding="utf-8").replace("redis:6379", f"{LOOPBACK}:{port}")
    moved = ["--bind", LOOPBACK, "--port", str(port), "--dir", str(directory)]
    environment = {
        "PATH": f"{redis_program().parent}:{SYSTEM_PATH}",
        "REDIS_PASSWORD_FILE": str(secrets / "redis_password"),
        "REDIS_RUN_DIR": str(directory),
    }
    with supervised(
        [str(DOCKER / "redis" / "start.sh"), *moved],
        stop_signal="SIGTERM",
        log=directory / "redis.log",
        answers=_pings(url),
        environment=environment,
    ):
        yield url


def _pings(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        with Redis.from_url(url, socket_timeout=2) as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    return answers
