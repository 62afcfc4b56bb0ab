"""`replay FILE`: a recorded crash played on the demo market, through the queue, in a database of its own."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.choices import Methodology
from pmplatform.common.commands import BAD_INPUT, FAILED
from pmplatform.demo.market import DemoMarket
from pmplatform.demo.replay.chart import drawing
from pmplatform.demo.replay.course import moves, thinned
from pmplatform.demo.replay.play import Tick, World, replay, world_stage
from pmplatform.demo.replay.recording import Bar, RecordingFault, read_bars
from pmplatform.demo.replay.report import ending, is_conserved, line, lines_at, opening
from pmplatform.embedded.servers import embedded_servers

_MIXED = (Methodology.OKX_2025.value, Methodology.BYBIT_UTA.value)
#: What the child process is told again, as `--name=value`.
_PASSED = ("accounts", "seed", "fund", "first", "bars", "every", "between", "plot")


class Command(BaseCommand):
    help = (
        "Move the demo market by the returns of a recorded one, bar by bar, and work through what comes of "
        "it: margin, warnings, liquidation on paper, the insurance fund. Prints how it goes, draws it as "
        "SVG, and checks after every step that cash and positions are conserved. Exit code: 0 done, 1 "
        "something was not conserved, 2 the file is no recording."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="CSV of bars, plain or gzipped")
        parser.add_argument("--accounts", type=int, default=200, help="accounts of the world (default 200)")
        parser.add_argument("--seed", type=int, default=1, help="seed of market and accounts (default 1)")
        parser.add_argument(
            "--fund", type=Decimal, default=Decimal(1_000_000), help="USDT in the fund (default 1000000)"
        )
        parser.add_argument(
            "--methodology",
            action="append",
            choices=Methodology.values,
            help=f"that accounts take in turn; repeat it for more (default {' and '.join(_MIXED)})",
        )
        parser.add_argument("--first", type=datetime.fromisoformat, help="leave out bars before this time")
        parser.add_argument("--bars", type=int, help="play no more than so many bars")
        parser.add_argument("--every", type=int, default=1, help="play every so many-th bar (default 1)")
        parser.add_argument("--between", type=int, default=0, help="snapshots between two bars (default 0)")
        parser.add_argument("--plot", type=Path, help="where to draw (default replay-NAME.svg here)")
        parser.add_argument(
            "--here", action="store_true", help="use the database of the settings, which has to be empty"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            bars = _bars(options)
        except (RecordingFault, OSError) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        if options["here"]:
            self._play(bars, options)
        else:
            _play_apart(options)

    def _play(self, bars: list[Bar], options: Mapping[str, Any]) -> None:
        world = World(
            accounts=options["accounts"],
            seed=options["seed"],
            methodologies=[Methodology(name) for name in options["methodology"] or _MIXED],
            fund_usdt=options["fund"],
        )
        course = list(moves(bars, options["between"]))
        shown, ticks = lines_at(len(course)), list[Tick]()
        self._say(*opening(options["file"].name, len(bars), world))
        for number, tick in enumerate(replay(_staged(world), course)):
            ticks.append(tick)
            if number in shown:
                self._say(line(tick))
        self._say(*ending(ticks, world))
        plot = options["plot"] or Path(f"replay-{options['file'].name.partition('.')[0]}.svg")
        plot.write_text(drawing(options["file"].name, ticks), encoding="utf-8")
        self._say(f"Drawn in {plot}")
        if not is_conserved(ticks):
            raise CommandError("cash or positions were not conserved", returncode=FAILED)

    def _say(self, *lines: str) -> None:
        for words in lines:
            self.stdout.write(words)
        self.stdout.flush()


def _staged(world: World) -> DemoMarket:
    try:
        return world_stage(world)
    except ValueError as error:
        raise CommandError(str(error), returncode=FAILED) from error


def _bars(options: Mapping[str, Any]) -> list[Bar]:
    """The bars that are to be played; RecordingFault where too few are left."""
    first = options["first"]
    bars = [bar for bar in read_bars(options["file"]) if first is None or bar.at >= first]
    bars = thinned(bars, options["every"])[: options["bars"]] if bars else []
    if len(bars) < 2:
        raise RecordingFault("fewer than two bars are left to play")
    return bars


def _play_apart(options: Mapping[str, Any]) -> None:
    """Play in a process that has servers of its own, whose data are gone afterwards."""
    words = [str(options["file"]), "--here"]
    words += [f"--{name}={options[name]}" for name in _PASSED if options[name] is not None]
    words += [f"--methodology={name}" for name in options["methodology"] or ()]
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    secret = {name: secrets.token_urlsafe(32) for name in ("PM_SECRET_KEY", "PM_TOKEN_PEPPER")}
    with (
        tempfile.TemporaryDirectory(prefix="pm-replay-") as scratch,
        embedded_servers(Path(scratch), durable=False) as servers,
    ):
        environment = {**os.environ, **servers.as_environment(), **secret, "PM_PLAIN_HTTP": "1"}
        subprocess.run([*manage, "migrate", "--verbosity=0"], env=environment, check=True)
        done = subprocess.run([*manage, "replay", *words], env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
