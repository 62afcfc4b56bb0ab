from typing import Any

from django.core.management.base import CommandParser

from accounts.services.tenants import tenant_create
from pmplatform.common.commands import PlatformCommand


class Command(PlatformCommand):
    help = "Found a tenant and print its slug."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="short name of letters, digits, - and _")
        parser.add_argument("--name", default="", help="full name (the slug unless given)")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_create(slug=options["slug"], name=options["name"], actor=self.actor)
        self.stdout.write(tenant.slug)
