from typing import Any

from django.core.management.base import CommandParser

from accounts.services.tokens import token_revoke
from pmplatform.common.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Disable an API token for good."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="its public id, the part between pm_ and the dot")

    def handle(self, *args: Any, **options: Any) -> None:
        public_id = options["id"].removeprefix("pm_").partition(".")[0]
        token = token_revoke(public_id=public_id, actor=self.actor)
        self.stderr.write(f"{token} is revoked")
