import time
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from margin.services.publishing import SnapshotDocument, snapshot_publish
from pmplatform.common.commands import PlatformCommand
from pmplatform.demo.stage import SOURCE, market_standing


class Command(PlatformCommand):
    help = "Publish a snapshot of the demo market at every tick."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="seed of the market (default 1)")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between snapshots (default 5)")
        parser.add_argument("--ticks", type=int, default=None, help="stop after so many (default: never)")

    def handle(self, *args: Any, **options: Any) -> None:
        market = market_standing(seed=options["seed"])
        ticks = 0
        while options["ticks"] is None or ticks < options["ticks"]:
            time.sleep(options["every"])
            elapsed = (timezone.now() - market.as_of).total_seconds()
            document = market.step(max(elapsed, options["every"]))
            published = SnapshotDocument(market.as_of, document, market.settlement or None)
            snapshot_publish(document=published, source=SOURCE, actor=self.actor)
            ticks += 1
