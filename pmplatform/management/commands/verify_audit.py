import argparse
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from pmplatform.common.chain import chain_faults, chain_head, chain_seal
from pmplatform.common.commands import FAILED, PlatformCommand
from pmplatform.common.transactions import one_view


class Command(PlatformCommand):
    help = "Prove that audit and ledger rows are what they were when they were sealed; prints the head."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--noted", default="", metavar="HEAD", help="a head printed earlier, which must be in the chain"
        )

    def handle(self, *args: Any, noted: str, **options: Any) -> None:
        while chain_seal(now=timezone.now()):
            pass
        with one_view():
            faults = list(chain_faults(noted=noted))
            head = chain_head()
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} faults in the audit chain", returncode=FAILED)
        self.stdout.write(f"the audit chain verifies: {head.rows} rows; head {head}")
