"""`feed VENUE`: snapshots of a venue's public market, one after the other."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from margin.engine.errors import DocumentError
from margin.feeds.live import VENUES, LiveFeed, VenueUnavailable, client_open
from margin.market_states import snapshot_state
from margin.services.guarding import refusals_recorded
from margin.services.publishing import SnapshotDocument, snapshot_publish
from pmplatform.common.commands import FAILED, PlatformCommand
from pmplatform.common.errors import LockTimeout, ValidationFailed


class Command(PlatformCommand):
    help = (
        "Publish snapshots of a venue's public market (needs the extra `venues`). One venue feeds a "
        "platform: a snapshot that lacks an instrument in use is refused."
    )
    serves = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("venue", choices=sorted(VENUES))
        parser.add_argument("--coins", nargs="+", default=["BTC", "ETH"], help="default: BTC ETH")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between snapshots (default 5)")
        parser.add_argument("--ticks", type=int, default=None, help="stop after so many (default: never)")
        parser.add_argument("--url", help="base address of the API, where it is not the venue's usual one")

    def handle(self, *args: Any, **options: Any) -> None:
        name, ticks, accepted = options["venue"], 0, 0
        try:
            with client_open(name, options["url"]) as client:
                feed = LiveFeed(VENUES[name](client), options["coins"])
                while options["ticks"] is None or ticks < options["ticks"]:
                    begun = time.monotonic()
                    accepted += self._tick(feed, name)
                    ticks += 1
                    time.sleep(max(0.0, options["every"] - (time.monotonic() - begun)))
        except VenueUnavailable as error:
            raise CommandError(str(error), returncode=FAILED) from error
        if not accepted:
            raise CommandError("no snapshot was accepted", returncode=FAILED)

    def _tick(self, feed: LiveFeed, name: str) -> bool:
        """Publish one snapshot; what goes wrong is said, and the next tick tries again."""
        try:
            read = feed.read(timezone.now())
            with refusals_recorded(source=name, as_of=read.as_of):
                snapshot = snapshot_publish(
                    document=SnapshotDocument(read.as_of, read.market), source=name, actor=self.actor
                )
        except (VenueUnavailable, DocumentError, ValidationFailed, LockTimeout) as error:
            self.stderr.write(f"{timezone.now().isoformat()} {error}")
            return False
        reasons = "; ".join(snapshot_state(snapshot, timezone.now()).reasons)
        self.stdout.write(
            f"snapshot {snapshot.sequence}: {snapshot.instruments} instruments {reasons}".rstrip()
        )
        return True
