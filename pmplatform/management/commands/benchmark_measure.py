from typing import Any

import msgspec
from django.core.management import call_command
from django.core.management.base import CommandParser

from pmplatform.benchmark.topics import TOPICS, Extent, measures
from pmplatform.common.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Measure on the database at hand, which is migrated and filled; `benchmark` gives it an empty one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--quick", action="store_true", help="10,000 accounts and 3 pairs")
        parser.add_argument("--only", default="", help=f"topics of {', '.join(TOPICS)} (default all)")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        topics = [topic for topic in options["only"].split(",") if topic] or list(TOPICS)
        for measure in measures(topics, Extent.of(quick=options["quick"])):
            self.stdout.write(msgspec.json.encode(measure).decode())
            self.stdout.flush()
