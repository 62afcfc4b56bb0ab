from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from pmplatform.common.commands import PlatformCommand
from pmplatform.demo.stage import stage


class Command(PlatformCommand):
    help = "Load the demo world into an empty database; does nothing where it stands already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--accounts", type=int, default=1_000, help="how many accounts (default 1000)")
        parser.add_argument("--seed", type=int, default=1, help="seed of market and accounts (default 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        fresh = stage(accounts=options["accounts"], seed=options["seed"], now=timezone.now())
        self.stdout.write(
            f"{options['accounts']} accounts loaded" if fresh else "the demo world stands already"
        )
