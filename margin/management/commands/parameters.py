"""`parameters import`: the shipped parameter histories, or those of a file, into the database."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from margin.engine.errors import DocumentError
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial
from pmplatform.common.commands import BAD_INPUT, PlatformCommand
from pmplatform.common.strict_json import Numbers, strict_json_loads


class Command(PlatformCommand):
    help = "Manage parameter versions."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        load = actions.add_parser("import", help="load histories of methodologies that have no version yet")
        load.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="default: the shipped histories"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = parameters_load_initial(
                documents=[_read(file) for file in options["files"]] or shipped_documents()
            )
        except DocumentError as error:
            raise CommandError("\n".join(map(str, error.faults)), returncode=BAD_INPUT) from error
        self.stdout.write(f"{count} versions loaded")


def _read(file: Path) -> Any:
    try:
        document = strict_json_loads(file.read_bytes(), numbers=Numbers.FLOAT)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}", returncode=BAD_INPUT) from error
    if not isinstance(document, dict) or not isinstance(document.get("versions"), list):
        raise CommandError(f"{file}: versions: must be an array", returncode=BAD_INPUT)
    return document
