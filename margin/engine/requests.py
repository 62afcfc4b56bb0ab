"""Requests that consist of a book document and something besides; faults of the book are at `book.`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from margin.engine.comparison import compare
from margin.engine.curve import Axis, curve_of
from margin.engine.documents.book import Anything, read_book
from margin.engine.documents.schema import MISSING, Faults, Nullable, Record, Spec, Text, child
from margin.engine.errors import DocumentError, Fault
from margin.engine.parameters.common import Whole
from margin.engine.parameters.library import Library
from margin.engine.what_if import what_if

_BOOK: Final = "book"
_COMPARE: Final = Record({_BOOK: Anything()})
_DRAWN: Final[dict[str, tuple[Spec, Any]]] = {
    "coin": (Nullable(Text()), None),
    "axis": (Text(tuple(Axis)), Axis.PRICE),
}
_CURVE: Final = Record({_BOOK: Anything()}, {**_DRAWN, "moves": (Anything(), None)})
_CURVE_CHOICE: Final = Record({}, _DRAWN)


@dataclass(frozen=True)
class WhatIfRequest:
    """Changes to a book document, or to a stored account by its id."""

    changes: Any
    book: Any = MISSING
    account: int | None = None

    def answer(self, library: Library) -> dict[str, Any]:
        """What if, of the book document; DocumentError as `what_if`."""
        with _faults_of_book(beside="changes"):
            return what_if(self.book, self.changes, library)


_WHAT_IF: Final = Record(
    {"changes": Anything()},
    {_BOOK: (Anything(), MISSING), "account": (Whole(1), None)},
    build=WhatIfRequest,
)


def compare_request(body: Any, library: Library) -> dict[str, Any]:
    """The comparison that `{book}` asks for; DocumentError with every fault."""
    fields = _read(_COMPARE, body)
    with _faults_of_book():
        return compare(fields[_BOOK], library)


def curve_request(body: Any, library: Library) -> dict[str, Any]:
    """The curve that `{book, coin, axis, moves}` asks for; DocumentError with every fault."""
    fields = _read(_CURVE, body)
    with _faults_of_book():
        book = read_book(fields[_BOOK], library)
    with _faults_of_book(beside="coin moves"):
        return curve_of(book, fields["coin"], Axis(fields["axis"]), fields["moves"]).document()


def curve_choice(fields: Any) -> tuple[str | None, Axis]:
    """The coin and axis that `{coin, axis}` asks for; DocumentError with every fault."""
    chosen = _read(_CURVE_CHOICE, fields)
    return chosen["coin"], Axis(chosen["axis"])


def what_if_request(body: Any) -> WhatIfRequest:
    """What `{book or account, changes}` asks for; DocumentError with every fault."""
    request: WhatIfRequest = _read(_WHAT_IF, body)
    if (request.book is MISSING) == (request.account is None):
        raise DocumentError([Fault(_BOOK, "or account, and only one of them, is required")])
    return request


def _read(shape: Record, body: Any) -> Any:
    faults = Faults()
    fields = shape.read(body, "", faults)
    faults.raise_if_any()
    return fields


@contextmanager
def _faults_of_book(beside: str = "") -> Iterator[None]:
    """Put faults below `book`, but those of the named fields beside it."""
    try:
        yield
    except DocumentError as error:
        raise DocumentError(
            fault if _root(fault.path) in beside.split() else Fault(_below_book(fault.path), fault.message)
            for fault in error.faults
        ) from error


def _root(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _below_book(path: str) -> str:
    return child(_BOOK, path) if path else _BOOK
