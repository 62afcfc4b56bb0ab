"""One book document to one margin report: a shard of one, on the same path as a million."""

from datetime import datetime
from typing import Any

import numpy as np

from margin.engine.book import Book
from margin.engine.documents.book import read_book
from margin.engine.errors import DocumentError, Fault, NonFiniteError
from margin.engine.hashing import sha256_of
from margin.engine.market import Market
from margin.engine.methodologies.registry import methodology
from margin.engine.parameters.library import Library, Parameters
from margin.engine.report import ReportHeader, render
from margin.engine.results import ShardMargin


def margin_book(book: Book, market: Market, parameters: Parameters) -> ShardMargin:
    """Stress the units that the book holds and margin its accounts; NonFiniteError as `margin` raises it."""
    method = methodology(parameters.header.methodology)
    units = method.partition(market)
    # What leaves the finite numbers is refused when all is done, not warned about on the way.
    with np.errstate(all="ignore"):
        arrays = {
            number: method.unit_arrays(market, units.units[number], parameters)
            for number in units.held_by(book)
        }
        return method.margin(book, market, parameters, units, arrays)


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
    book = read_book(document, library)
    try:
        shard = margin_book(book.book, book.market, book.parameters)
    except NonFiniteError as error:
        raise DocumentError([Fault("account", str(error))]) from error
    header = ReportHeader(book.methodology, book.parameters.header, iso(book.as_of), sha256_of(document))
    return render(shard, 0, header)
