"""A broker of the test's own, which may be killed, stopped, emptied, filled and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from pmplatform.embedded.binaries import redis_program
from pmplatform.embedded.process import LOOPBACK, free_port


@dataclass
class Broker:
    """Valkey as the composition configures it: append-only file, `noeviction`; on one port for life."""

    directory: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def client(self) -> Redis:
        return Redis(host=LOOPBACK, port=self.port, socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def start(self) -> None:
        """Start, with what the append-only file has kept, and return once it answers."""
        options = {"port": self.port, "bind": LOOPBACK, "dir": self.directory, "appendonly": "yes"}
        options |= {"maxmemory-policy": "noeviction", "save": ""}
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig=KILL", str(redis_program()), *words],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "the broker did not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except RedisError:
                return False

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def lose_everything(self) -> None:
        with self.client() as client:
            client.flushall()

    def fill(self) -> None:
        """Refuse every further write, as a broker whose memory is full does."""
        with self.client() as client:
            client.config_set("maxmemory", "1")

    def empty(self) -> None:
        with self.client() as client:
            client.config_set("maxmemory", "0")


@contextmanager
def own_broker(directory: Path) -> Iterator[Broker]:
    broker = Broker(directory)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()
