"""`simulate BOOK.json ...`: margin reports of book documents, from the documents alone."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from margin.engine.errors import DocumentError, Fault
from margin.engine.explain.document import explain_document
from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, strict_json_loads

_BAD_INPUT = 2
_WHOLE = "document"


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

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path | None = options["out"]
        refused = False
        for book, target in _targets(options["books"], out):
            try:
                report = _report(book, target, explain=options["explain"])
            except DocumentError as error:
                refused = True
                self.stderr.write(_line(book, error))
            else:
                self._deliver(report, target)
        if refused:
            raise SystemExit(_BAD_INPUT)

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


def _report(book: Path, target: Path | None, *, explain: bool) -> str:
    """The report as JSON text; DocumentError for whatever is wrong with the book."""
    try:
        document = strict_json_loads(book.read_bytes(), numbers=Numbers.FLOAT)
    except OSError as error:
        raise DocumentError([Fault(_WHOLE, f"cannot be read: {error.strerror}")]) from error
    except ValidationFailed as error:
        raise DocumentError(Fault(fault.path, fault.message) for fault in error.errors) from error
    if target is not None and target.exists() and target.samefile(book):
        raise DocumentError([Fault(_WHOLE, "would be overwritten by its own report")])
    report = margin_report(document, shipped_library())
    if explain:
        report["explain"] = explain_document(document, shipped_library())
    return json.dumps(report, indent=2, allow_nan=False)


def _line(book: Path, error: DocumentError) -> str:
    """One line that names the book and each of its faults, whatever the document's keys contain."""
    faults = "; ".join(f"{fault.path or _WHOLE}: {fault.message}" for fault in error.faults)
    return " ".join(f"{book}: {faults}".splitlines())


def _write(target: Path, report: str) -> None:
    """Put the report in place as a whole: a reader sees the former file or the new one, never a part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_text(f"{report}\n", encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
