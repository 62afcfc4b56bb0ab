import secrets
import sys
from typing import Any

from django.core.management.base import CommandParser

from accounts import selectors
from accounts.services.tenants import user_create
from accounts.services.tokens import scopes_parse
from pmplatform.common.commands import PlatformCommand


class Command(PlatformCommand):
    help = (
        "Make a user of a tenant, or of the platform's staff, and print the name. The password is read from "
        "stdin with --password-stdin; otherwise one is generated and printed to stdout instead of the name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        where = parser.add_mutually_exclusive_group(required=True)
        where.add_argument("--tenant", metavar="SLUG")
        where.add_argument("--platform", action="store_true", help="platform staff: may enter the console")
        parser.add_argument("--superuser", action="store_true", help="every permission in the console")
        parser.add_argument("--scopes", default="", help="comma-separated, beside read: trade,risk,...")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        is_given = options["password_stdin"]
        password = sys.stdin.readline().rstrip("\n") if is_given else secrets.token_urlsafe(18)
        user = user_create(
            username=options["username"],
            password=password,
            tenant=selectors.tenant_get(slug=options["tenant"]) if options["tenant"] else None,
            scopes=scopes_parse(filter(None, options["scopes"].split(","))),
            is_superuser=options["superuser"],
            actor=self.actor,
        )
        self.stdout.write(user.get_username() if is_given else password)
