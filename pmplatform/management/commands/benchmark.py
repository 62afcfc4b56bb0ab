import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from pmplatform.benchmark.measures import Measure, as_table
from pmplatform.benchmark.namespaces import Network, network_enter
from pmplatform.benchmark.plot import growth_plot
from pmplatform.benchmark.topics import TOPICS, topics_by_servers
from pmplatform.embedded.process import new_password
from pmplatform.embedded.servers import embedded_servers

_SECRETS: Final = ("PM_SECRET_KEY", "PM_TOKEN_PEPPER")
#: The C library keeps the memory of arrays for the next ones, as the composition has it for workers: left to
#: itself it gave it back or not as chance had it, and a shard took a quarter longer or not.
ALLOCATOR: Final = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "134217728"}


class Command(BaseCommand):
    help = "Measure the platform against its goals, on private servers that are gone afterwards."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="10,000 accounts, 3 pairs, under a minute")
        parser.add_argument("--json", action="store_true", help="print the rows as JSON instead of a table")
        parser.add_argument("--plot", type=Path, help="draw cost against accounts to this file, as SVG")
        parser.add_argument(
            "--only",
            default="",
            help=f"comma-separated topics of {', '.join(TOPICS)} (default all; --quick without million)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        measures = []
        network = network_enter()
        for topics in topics_by_servers(options["only"], quick=options["quick"]):
            for measure in _measured(network, options["quick"], topics):
                measures.append(measure)
                if sys.stderr.isatty():
                    self.stderr.write(f"{measure.name}: {measure.figure}", ending="\n")
        series = {measure.name: measure.points for measure in measures if measure.points}
        if options["plot"] and series:
            options["plot"].write_text(growth_plot(series), encoding="utf-8")
        if options["json"]:
            found = [measure.as_json() for measure in measures]
            self.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        else:
            self.stdout.write(as_table(measures))


def _measured(network: Network, quick: bool, topics: Sequence[str]) -> Iterator[Measure]:
    """The rows, one by one, as a process that has the servers in its environment finds them."""
    with (
        tempfile.TemporaryDirectory(prefix="pm-benchmark-") as scratch,
        # Never the servers that the environment names: what is measured is written.
        embedded_servers(Path(scratch), durable=True, environ={}, address=network.address) as servers,
    ):
        environment = os.environ | servers.as_environment() | _environment(scratch) | network.as_environment()
        # As where it is installed, each of the many processes finds the modules compiled.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "benchmark_measure"]
        options = [*(["--quick"] if quick else []), f"--only={','.join(topics)}"]
        with subprocess.Popen([*command, *options], env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for line in process.stdout:
                yield msgspec.json.decode(line, type=Measure)
        if process.returncode:
            raise CommandError("the measuring process failed", returncode=process.returncode)


def _environment(data_dir: str) -> dict[str, str]:
    secrets = {name: new_password() for name in _SECRETS}
    return {"PM_PLAIN_HTTP": "1", "PM_DATA_DIR": data_dir, **secrets, **ALLOCATOR}
