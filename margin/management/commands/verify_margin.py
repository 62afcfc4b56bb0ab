from typing import Any

from django.core.management.base import CommandError, CommandParser

from margin.services.pasts import result_differences
from pmplatform.common.commands import FAILED, PlatformCommand


class Command(PlatformCommand):
    help = "Compute a stored result again from ledger, snapshot and parameters, and compare it byte for byte."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "result", type=int, metavar="RESULT_ID", help="id of the result, from the history"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        differences = result_differences(result_id=options["result"])
        for difference in differences:
            self.stderr.write(str(difference))
        if differences:
            raise CommandError(
                f"result {options['result']} differs in {len(differences)} places", returncode=FAILED
            )
        self.stdout.write(f"result {options['result']} is what its inputs give, byte for byte")
