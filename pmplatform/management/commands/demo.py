"""`demo`: the whole platform from nothing, on loopback, until it is stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pmplatform.embedded.process import LOOPBACK, free_port, new_password, supervised, write_secret
from pmplatform.embedded.servers import embedded_servers
from pmplatform.embedded.web import responds

_SECRETS: Final = ("PM_SECRET_KEY", "PM_TOKEN_PEPPER")
_TOKEN: Final = ("--tenant=demo-desk", "--scopes=read,trade", "--days=1", "--name=demo")
_QUEUES: Final = "stress,margin,liquidation,housekeeping"


class Command(BaseCommand):
    help = "Start everything on loopback, load the demo world, margin it by workers, serve the console."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accounts", type=int, default=1_000, help="accounts of a new world (default 1000)"
        )
        parser.add_argument("--seed", type=int, default=1, help="seed of market and accounts (default 1)")
        parser.add_argument("--port", type=int, default=0, help="port of the console (default: a free one)")
        parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
        parser.add_argument("--once", action="store_true", help="stop after the summary, for tests")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        # A shell starts background jobs with SIGINT ignored; both signals mean an orderly end here.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        data_dir = Path(settings.PM_DATA_DIR)
        try:
            with ExitStack() as stack:
                servers = stack.enter_context(embedded_servers(data_dir, durable=True))
                stage = _Stage(data_dir, os.environ | servers.as_environment() | _secrets(data_dir))
                self._raise_curtain(stack, stage, options)
                self.stdout.write(f"Ready in {time.monotonic() - started:.1f} s. Stop with Ctrl-C.")
                self.stdout.flush()
                if not options["once"]:
                    signal.pause()
        except KeyboardInterrupt:
            self.stdout.write("Stopped; the data stay in " + str(data_dir))

    def _raise_curtain(self, stack: ExitStack, stage: "_Stage", options: Mapping[str, Any]) -> None:
        port, stream_port = options["port"] or free_port(), free_port()
        seed = f"--seed={options['seed']}"
        stage.run("migrate", "--verbosity=0")
        stage.run("collectstatic", "--noinput", "--verbosity=0")
        stage.run("demo_stage", f"--accounts={options['accounts']}", seed)
        stage.start_worker(stack, options["workers"])
        stage.run("recalculate")
        stage.run("demo_summary")
        stage.start_relay(stack)
        stage.start_beat(stack)
        stage.start_feed(stack, seed)
        stage.start_webhooks(stack)
        stage.start_web(stack, port)
        stage.start_stream(stack, stream_port)
        path = stage.read("demo_login")
        self.stdout.write(f"Console  http://{LOOPBACK}:{port}{path}  (works once, from this machine)")
        self.stdout.write(f"API      http://{LOOPBACK}:{port}/api/docs")
        self.stdout.write(f"Stream   http://{LOOPBACK}:{stream_port}/api/v1/stream")
        self.stdout.write(f"Token    {stage.read('token_create', *_TOKEN)}  (the demo desk's, for a day)")


def _secrets(data_dir: Path) -> dict[str, str]:
    """The demo's secrets, made once and kept beside its data; and its flags."""
    values = {"PM_PLAIN_HTTP": "1", "PM_DEMO": "1", "PM_DATA_DIR": str(data_dir)}
    for name in _SECRETS:
        file = data_dir / name.lower()
        if not file.exists():
            write_secret(file, new_password())
        values[name] = file.read_text(encoding="utf-8")
    return values


class _Stage:
    """Runs the platform's processes in one environment, each with a log of its own."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self._logs = data_dir / "logs"
        self._logs.mkdir(exist_ok=True)
        self._environment = dict(environment)

    def _manage(self, *words: str) -> list[str]:
        return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]

    def run(self, *words: str) -> None:
        """Run a management command to its end, its output shown; CommandError with its log when it fails."""
        log = self._logs / f"{words[0]}.log"
        with log.open("w", encoding="utf-8") as errors:
            done = subprocess.run(self._manage(*words), env=self._environment, stderr=errors, check=False)
        if done.returncode:
            raise CommandError(f"{words[0]} failed:\n{log.read_text(encoding='utf-8', errors='replace')}")

    def read(self, *words: str) -> str:
        """The output of a management command."""
        done = subprocess.run(
            self._manage(*words), env=self._environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    def start_worker(self, stack: ExitStack, processes: int) -> None:
        command = [sys.executable, "-m", "celery", "--app=pmplatform", "worker", "--loglevel=INFO"]
        options = [
            f"--queues={_QUEUES}",
            f"--concurrency={processes}",
            "--hostname=demo@%h",
            "--without-mingle",
        ]
        log = self._logs / "worker.log"
        self._start(stack, [*command, *options], log, "ready.")

    def start_beat(self, stack: ExitStack) -> None:
        command = [
            sys.executable,
            "-m",
            "celery",
            "--app=pmplatform",
            "beat",
            "--loglevel=INFO",
            "--pidfile=",
        ]
        self._start(stack, command, self._logs / "beat.log", "")

    def start_relay(self, stack: ExitStack) -> None:
        self._start(stack, self._manage("outbox_relay"), self._logs / "relay.log", "relayed")

    def start_feed(self, stack: ExitStack, seed: str) -> None:
        self._start(stack, self._manage("demo_feed", seed), self._logs / "feed.log", "")

    def start_webhooks(self, stack: ExitStack) -> None:
        self._start(stack, self._manage("webhooks_deliver"), self._logs / "webhooks.log", "delivered")

    def start_web(self, stack: ExitStack, port: int) -> None:
        static = [f"--static-path-mount={settings.STATIC_ROOT}", "--static-path-route=/static"]
        self._serve(stack, "web", port, ["--interface=wsgi", *static, "pmplatform.wsgi:application"])

    def start_stream(self, stack: ExitStack, port: int) -> None:
        self._serve(stack, "stream", port, ["--interface=asginl", "pmplatform.asgi:application"])

    def _serve(self, stack: ExitStack, name: str, port: int, options: list[str]) -> None:
        """Start a web server that is ready once it answers."""
        command = [sys.executable, "-m", "granian", f"--host={LOOPBACK}", f"--port={port}", *options]
        process = supervised(
            command,
            stop_signal="SIGTERM",
            log=self._logs / f"{name}.log",
            answers=lambda: responds(port),
            environment=self._environment,
        )
        stack.enter_context(process)

    def _start(self, stack: ExitStack, command: list[str], log: Path, word: str) -> None:
        """Start a process that is ready once its log says `word`."""
        process = supervised(
            command,
            stop_signal="SIGTERM",
            log=log,
            answers=lambda: word in log.read_text(encoding="utf-8", errors="replace"),
            environment=self._environment,
        )
        stack.enter_context(process)
