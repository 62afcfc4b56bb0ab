from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.table import Table

from pmplatform.common.commands import FAILED, PlatformCommand
from pmplatform.invariants.view import violations

_WIDTH = 110


class Command(PlatformCommand):
    help = "Prove that nothing violates an invariant (the view invariant_violations); exits with 1 if so."

    def handle(self, *args: Any, **options: Any) -> None:
        found = violations()
        if not found:
            self.stdout.write("no invariant is violated")
            return
        table = Table("invariant", "subject", "what is there")
        for violation in found:
            table.add_row(violation.invariant, violation.subject, violation.detail)
        Console(width=_WIDTH).print(table)
        raise CommandError(f"{len(found)} violations", returncode=FAILED)
