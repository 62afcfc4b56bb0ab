"""One book document to one margin report: a shard of one, on the same path as a million."""

from datetime import datetime
from typing import Any

from margin.engine.documents.book import BookDocument, read_book
from margin.engine.errors import DocumentError, Fault, NonFiniteError
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import Library
from margin.engine.pipeline import margin_book
from margin.engine.report import ReportHeader, render
from margin.engine.results import ShardMargin


def iso(moment: datetime) -> str:
    """An instant as the documents write it, with `Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def margin_report(document: Any, library: Library) -> dict[str, Any]:
    """The margin report of a book document.

    Raises
    ------
    DocumentError
        With the path of every fault; a result that is not finite is a fault of the account.
    """
    return report_of(read_book(document, library), sha256_of(document))


def margin_of(book: BookDocument) -> ShardMargin:
    """The margin of a checked book document; DocumentError at `account` where a figure is not finite."""
    try:
        return margin_book(book.book, book.market, book.parameters)
    except NonFiniteError as error:
        raise DocumentError([Fault("account", str(error))]) from error


def report_of(book: BookDocument, input_sha256: str) -> dict[str, Any]:
    """The margin report of a checked book document; errors as `margin_of`."""
    header = ReportHeader(book.methodology, book.parameters.header, iso(book.as_of), input_sha256)
    return render(margin_of(book), 0, header)
