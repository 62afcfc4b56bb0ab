from argparse import RawDescriptionHelpFormatter
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from accounts import selectors
from accounts.services.loading import accounts_load
from accounts.table_files import UnreadableTable, table_rows
from accounts.tables import CellFault, table_batches
from pmplatform.common.commands import BAD_INPUT, PlatformCommand
from pmplatform.common.errors import ValidationFailed

_FORMAT = """\
Open accounts from tables, each file as a whole or not at all; list their instruments before.

A table is a CSV file (UTF-8, comma, a header, .csv) or a Parquet file (.parquet; needs the extra 'bulk').
The rows of one account stand together, the row with record 'account' first. The columns, in any order:

  account      the account's code, on every row
  record       what the row says, which decides the columns it fills:
    account      methodology, and optionally hedge_mode and name
    balance      symbol (the currency), quantity (may be negative)
    position     symbol (the instrument), quantity (contracts, signed), price (the entry)
    order        symbol (the instrument), side (buy, sell), quantity (positive), price
    hedge_limit  symbol (the coin), and optionally ratio (0 to 1) and max_amount (coins)

All other cells stay empty, and a column that no row fills may be left out. Amounts are decimals with up to
18 places; in Parquet they may be texts, decimals or numbers. Every bad row is named on stderr as
FILE:LINE: column: what is wrong (in Parquet the number of the row), and the exit code is 2.

  account,record,methodology,symbol,side,quantity,price
  A-1,account,okx-2025,,,,
  A-1,balance,,USDT,,2500.5,
  A-1,position,,BTC-USDT-SWAP,,-10,97000
  A-1,order,,BTC-USDT-SWAP,buy,5,90000
"""


class Command(PlatformCommand):
    help = _FORMAT

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .csv or .parquet file")
        parser.add_argument("--tenant", required=True, help="slug of the tenant that gets the accounts")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = selectors.tenant_get(slug=options["tenant"])
        refused: list[str] = []
        with Progress(console=Console(stderr=True), transient=True) as progress:
            for file in options["files"]:
                try:
                    count = self._load(file, tenant.pk, timezone.now(), progress)
                except _BadRows as bad:
                    refused += [f"{file}:{fault}" for fault in bad.faults]
                except UnreadableTable as error:
                    refused.append(f"{file}: {error}")
                else:
                    self.stdout.write(f"{file}: {count} accounts opened in {tenant.slug}")
        if refused:
            raise CommandError("\n".join(refused), returncode=BAD_INPUT)

    @transaction.atomic
    def _load(self, file: Path, tenant_id: int, now: datetime, progress: Progress) -> int:
        """Open all accounts of a file, and give their number; nothing when a row is at fault."""
        count, faults = 0, list[CellFault]()
        for batch in table_batches(table_rows(file, progress)):
            faults += batch.faults
            try:
                ids = accounts_load(
                    tenant_id=tenant_id, documents=batch.documents, actor=self.actor, now=now, path=""
                )
            except ValidationFailed as error:
                faults += [batch.located(fault.path, fault.message) for fault in error.errors]
            else:
                count += len(ids)
        if faults:
            raise _BadRows(sorted(faults, key=lambda fault: fault.line))
        return count


class _BadRows(Exception):
    """Rolls a file back; every fault in the order of its lines."""

    def __init__(self, faults: list[CellFault]) -> None:
        self.faults = faults
        super().__init__(f"{len(faults)} faults")
