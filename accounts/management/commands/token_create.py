from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from accounts import selectors
from accounts.services.tokens import scopes_parse, token_create
from pmplatform.common.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Issue an API token and print it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        owner = parser.add_mutually_exclusive_group(required=True)
        owner.add_argument("--tenant", metavar="SLUG", help="a tenant's token: read and trade at most")
        owner.add_argument("--platform", action="store_true", help="a token of the platform")
        parser.add_argument("--scopes", default="read", help="comma-separated (default: read)")
        parser.add_argument("--days", type=int, default=90, help="lifetime (default: 90)")
        parser.add_argument("--network", action="append", default=[], metavar="CIDR", help="may be repeated")
        parser.add_argument("--name", default="", help="what it is for")

    def handle(self, *args: Any, **options: Any) -> None:
        issued = token_create(
            tenant=selectors.tenant_get(slug=options["tenant"]) if options["tenant"] else None,
            scopes=scopes_parse(options["scopes"].split(",")),
            days=options["days"],
            networks=options["network"],
            name=options["name"],
            actor=self.actor,
            now=timezone.now(),
        )
        self.stdout.write(issued.text)
