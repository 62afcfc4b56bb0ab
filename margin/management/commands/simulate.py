"""`simulate BOOK.json ...`: margin reports of book documents, from the documents alone."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.management.base import CommandParser

from margin.engine.comparison import compare
from margin.engine.explain.document import explain_document
from margin.engine.parameters.library import Library
from margin.engine.simulation import margin_report
from margin.management.documents import DocumentsCommand
from margin.parameter_files import shipped_library

#: Options that add a part of their name to the report.
_PARTS: Final[Mapping[str, Callable[[Any, Library], dict[str, Any]]]] = {
    "explain": explain_document,
    "compare": compare,
}


class Command(DocumentsCommand):
    help = (
        "Print the margin report of each book document, in order. Needs no database, server or setting. "
        "Exit code: 0 done, 1 a report could not be written, 2 a book was refused (the others are done)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--explain", action="store_true", help="add each row's share of every component, as `explain`"
        )
        parser.add_argument(
            "--compare",
            action="store_true",
            help="add the account's figures under every methodology, and what each saves, as `compare`",
        )

    def answer(self, document: object, options: Mapping[str, Any]) -> dict[str, Any]:
        report = margin_report(document, shipped_library())
        parts = (part for part in _PARTS if options[part])
        return report | {part: _PARTS[part](document, shipped_library()) for part in parts}
