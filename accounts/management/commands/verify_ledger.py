from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts import selectors
from accounts.verification import ledger_mismatches
from pmplatform.common.commands import FAILED, PlatformCommand


class Command(PlatformCommand):
    help = "Prove that all balances, positions, orders and settings are what the ledger says."

    def handle(self, *args: Any, **options: Any) -> None:
        mismatches = 0
        with transaction.atomic():
            # One view of ledger and rows, whatever is written meanwhile.
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            for mismatch in ledger_mismatches():
                mismatches += 1
                self.stderr.write(str(mismatch))
            position = selectors.ledger_position()
        if mismatches:
            raise CommandError(f"{mismatches} subjects differ from the ledger", returncode=FAILED)
        self.stdout.write(f"the accounts agree with the ledger at position {position}")
