"""`simulate BOOK.json ...`: margin reports of book documents, from the documents alone."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from margin.engine.comparison import compare
from margin.engine.errors import DocumentError, Fault
from margin.engine.explain.document import explain_document
from margin.engine.parameters.library import Library
from margin.engine.simulation import margin_report
from margin.management.documents import WHOLE, fault_line, read_document
from margin.parameter_files import shipped_library
from pmplatform.common.commands import BAD_INPUT

#: Options that add a part of their name to the report.
_PARTS: Final[Mapping[str, Callable[[Any, Library], dict[str, Any]]]] = {
    "explain": explain_document,
    "compare": compare,
}


class Command(BaseCommand):
    help = (
        "Print the margin report of each book document, in order. Needs no database, server or setting. "
        "Exit code: 0 done, 1 a report could not be written, 2 a book was refused (the others are done)."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("books", nargs="+", type=Path, metavar="BOOK.json")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write one report per book here, under the book's name"
        )
        parser.add_argument(
            "--explain", action="store_true", help="add each row's share of every component, as `explain`"
        )
        parser.add_argument(
            "--compare",
            action="store_true",
            help="add the account's figures under every methodology, and what each saves, as `compare`",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path | None = options["out"]
        parts = [part for part in _PARTS if options[part]]
        refused = False
        for book, target in _targets(options["books"], out):
            try:
                report = _report(book, target, parts)
            except DocumentError as error:
                refused = True
                self.stderr.write(fault_line(book, error))
            else:
                self._deliver(report, target)
        if refused:
            raise SystemExit(BAD_INPUT)

    def _deliver(self, report: str, target: Path | None) -> None:
        if target is None:
            self.stdout.write(report)
            return
        try:
            _write(target, report)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from error


def _targets(books: list[Path], out: Path | None) -> Iterator[tuple[Path, Path | None]]:
    return ((book, None if out is None else out / book.name) for book in books)


def _report(book: Path, target: Path | None, parts: list[str]) -> str:
    """The report as JSON text, with further parts by name; DocumentError for what is wrong with the book."""
    document = read_document(book)
    if target is not None and target.exists() and target.samefile(book):
        raise DocumentError([Fault(WHOLE, "would be overwritten by its own report")])
    report = margin_report(document, shipped_library())
    report |= {part: _PARTS[part](document, shipped_library()) for part in parts}
    return json.dumps(report, indent=2, allow_nan=False)


def _write(target: Path, report: str) -> None:
    """Put the report in place as a whole: a reader sees the former file or the new one, never a part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_text(f"{report}\n", encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
