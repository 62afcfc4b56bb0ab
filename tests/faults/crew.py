"""The platform's processes, started as in production, behind proxies that can spoil what they hear."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.db import connection
from kombu.exceptions import OperationalError as BrokerUnavailable

from pmplatform.celery import app
from pmplatform.embedded.process import LOOPBACK
from tests.faults.broker import Broker, own_broker
from tests.faults.proxy import Proxy, proxied
from tests.faults.stage import wait_until
from tests.support.processes import PlatformProcess, child_environment, start_relay, start_worker

RELAY: Final = "relay"
#: Which queues the worker of a name works on.
WORKERS: Final = {"margin": ("stress", "margin", "housekeeping"), "liquidation": ("liquidation",)}
#: What beat sends again and again, and no test waits for.
SWEEPS: Final = ("margin.tasks.sweep_runs", "margin.tasks.sweep_accounts", "liquidation.tasks.sweep")


@dataclass
class Crew:
    """Relay and workers by name, and the servers as they see them."""

    broker: Broker
    redis: Proxy
    postgres: Proxy
    _at_work: dict[str, tuple[PlatformProcess, ExitStack]] = field(default_factory=dict)

    @property
    def broker_url(self) -> str:
        return f"redis://{LOOPBACK}:{self.broker.port}/0"

    @property
    def environment(self) -> Mapping[str, str]:
        """Where processes find the servers: behind the proxies. The market of a test does not grow stale."""
        server = urlsplit(child_environment()["DATABASE_URL"])
        credentials, _, _ = server.netloc.rpartition("@")
        return {
            "DATABASE_URL": server._replace(netloc=f"{credentials}@{LOOPBACK}:{self.postgres.port}").geturl(),
            "REDIS_URL": f"redis://{LOOPBACK}:{self.redis.port}/0",
            "PM_SNAPSHOT_MAX_AGE": "3600",
            "PM_STUCK_SECONDS": "3600",
        }

    def hire(self, *names: str) -> None:
        """Start those that are not at work, all at once: at first, or in place of one that was lost."""
        missing = [name for name in names if not self._is_at_work(name)]
        for name in missing:
            self.dismiss(name)
            kind = name.partition(".")[0]
            starting = (
                start_relay(extra=self.environment, wait=False)
                if kind == RELAY
                else start_worker(WORKERS[kind], extra=self.environment, wait=False)
            )
            stack = ExitStack()
            self._at_work[name] = (stack.enter_context(starting), stack)
        for name in missing:
            self.process(name).wait_ready()
        if RELAY in names:
            self.process(RELAY).signal_tree(signal.SIGCONT)

    def _is_at_work(self, name: str) -> bool:
        return name in self._at_work and self.process(name).process.poll() is None

    def dismiss(self, *names: str) -> None:
        """Kill, if not at an end already."""
        for name in names:
            if name in self._at_work:
                self._at_work.pop(name)[1].close()

    def everybody(self) -> None:
        self.hire(RELAY, *WORKERS)

    def supervise(self) -> None:
        """What a supervisor and beat do: start whoever has ended, and send the sweeps."""
        self.everybody()
        self.sweep()

    def nobody(self) -> None:
        self.dismiss(*self._at_work)

    def rest(self) -> None:
        """Leave the workers without messages, and wait until they have done what they had."""
        if self._is_at_work(RELAY):
            wait_until(self._relay_sleeps)
        self.broker.lose_everything()
        wait_until(is_quiet)

    def _relay_sleeps(self) -> bool:
        """Stop the relay until it is wanted again; in the middle of something it has to go on."""
        relay = self.process(RELAY)
        relay.signal_tree(signal.SIGSTOP)
        if is_idle(relay.name):
            # What it has sent just now may not have arrived yet.
            time.sleep(0.2)
            if is_idle(relay.name):
                return True
        relay.signal_tree(signal.SIGCONT)
        return False

    def process(self, name: str) -> PlatformProcess:
        return self._at_work[name][0]

    def sweep(self) -> None:
        """Send what beat sends, if the broker takes it."""
        for task in SWEEPS:
            self.send(task)

    def send(self, task: str, *args: object) -> None:
        """Send one message; whether it arrives is not certain."""
        with suppress(BrokerUnavailable, OSError), app.connection_for_write(self.broker_url) as sending:
            app.send_task(task, args=args, connection=sending, retry=False)

    def outputs(self) -> str:
        """The end of what each process has said."""
        return "\n".join(
            f"--- {name}\n{process.output()[-3000:]}" for name, (process, _) in self._at_work.items()
        )

    def heal(self) -> None:
        """Servers and network as they should be."""
        self.postgres.heal()
        self.redis.heal()


@contextmanager
def crew(directory: Path) -> Iterator[Crew]:
    """Servers behind proxies, and nobody at work yet."""
    port = urlsplit(os.environ["DATABASE_URL"]).port
    assert port is not None
    with own_broker(directory) as broker, proxied(broker.port) as redis, proxied(port) as postgres:
        staff = Crew(broker, redis, postgres)
        try:
            yield staff
        finally:
            staff.nobody()


def is_idle(name: str) -> bool:
    """Whether the connections of a name are in the middle of nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(state = 'idle') FROM pg_stat_activity WHERE application_name = %s", [name]
        )
        [idle] = cursor.fetchone()
    return idle is not False


def is_quiet() -> bool:
    """Whether no other connection is in the middle of anything."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND (state <> 'idle' OR state_change > now() - interval '0.5 s')"
        )
        [busy] = cursor.fetchone()
    return bool(busy == 0)
