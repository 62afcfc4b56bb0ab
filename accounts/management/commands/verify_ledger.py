from typing import Any

from django.core.management.base import CommandError

from accounts import selectors
from accounts.verification import ledger_mismatches
from pmplatform.common.commands import FAILED, PlatformCommand
from pmplatform.common.transactions import one_view


class Command(PlatformCommand):
    help = "Prove that all balances, positions, orders and settings are what the ledger says."

    def handle(self, *args: Any, **options: Any) -> None:
        mismatches = 0
        with one_view():
            for mismatch in ledger_mismatches():
                mismatches += 1
                self.stderr.write(str(mismatch))
            position = selectors.ledger_position()
        if mismatches:
            raise CommandError(f"{mismatches} subjects differ from the ledger", returncode=FAILED)
        self.stdout.write(f"the accounts agree with the ledger at position {position}")
