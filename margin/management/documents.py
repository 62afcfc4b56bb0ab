"""Book documents on the command line: read from files, their faults as one line each."""

import json
import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from margin.engine.errors import DocumentError, Fault
from pmplatform.common.commands import BAD_INPUT
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, strict_json_loads

WHOLE = "document"


def read_document(book: Path) -> object:
    """The JSON value in a file; DocumentError for whatever keeps it from being read."""
    try:
        return strict_json_loads(book.read_bytes(), numbers=Numbers.FLOAT)
    except OSError as error:
        raise DocumentError([Fault(WHOLE, f"cannot be read: {error.strerror}")]) from error
    except ValidationFailed as error:
        raise DocumentError(Fault(fault.path, fault.message) for fault in error.errors) from error


def fault_line(book: Path, error: DocumentError) -> str:
    """One line that names the book and each of its faults, whatever the document's keys contain."""
    faults = "; ".join(f"{fault.path or WHOLE}: {fault.message}" for fault in error.faults)
    return " ".join(f"{book}: {faults}".splitlines())


class DocumentsCommand(BaseCommand):
    """A command that answers each book document by a JSON document, from the book alone.

    Exit code: 0 done, 1 an answer could not be written, 2 a book was refused (the others are done).
    """

    requires_system_checks = ()

    @abstractmethod
    def answer(self, document: object, options: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be said about a book document; DocumentError for what is wrong with it."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("books", nargs="+", type=Path, metavar="BOOK.json")
        parser.add_argument(
            "--out", type=Path, metavar="DIR", help="write one answer per book here, under the book's name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refused = False
        for book, target in _targets(options["books"], options["out"]):
            try:
                answer = self._answer(book, target, options)
            except DocumentError as error:
                refused = True
                self.stderr.write(fault_line(book, error))
            else:
                self._deliver(answer, target)
        if refused:
            raise SystemExit(BAD_INPUT)

    def _answer(self, book: Path, target: Path | None, options: Mapping[str, Any]) -> str:
        """The answer as JSON text; DocumentError for what is wrong with the book."""
        document = read_document(book)
        if target is not None and target.exists() and target.samefile(book):
            raise DocumentError([Fault(WHOLE, "would be overwritten by its own answer")])
        return json.dumps(self.answer(document, options), indent=2, allow_nan=False)

    def _deliver(self, answer: str, target: Path | None) -> None:
        if target is None:
            self.stdout.write(answer)
            return
        try:
            _write(target, answer)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from error


def _targets(books: list[Path], out: Path | None) -> Iterator[tuple[Path, Path | None]]:
    return ((book, None if out is None else out / book.name) for book in books)


def _write(target: Path, answer: str) -> None:
    """Put the answer in place as a whole: a reader sees the former file or the new one, never a part."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        partial.write_text(f"{answer}\n", encoding="utf-8")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
