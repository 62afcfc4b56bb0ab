"""One book under every methodology on offer, and what each saves against `standard`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from margin.engine.book import Book, HedgeMode
from margin.engine.documents.account import HEDGE_MODES
from margin.engine.documents.book import BookDocument, assemble, read_book
from margin.engine.errors import DocumentError
from margin.engine.exposures import option_value
from margin.engine.hashing import sha256_of
from margin.engine.market import Market
from margin.engine.methodologies.registry import OFFERED
from margin.engine.parameters.library import Library
from margin.engine.simulation import report_of

_YARDSTICK: Final = "standard"
_REQUIREMENTS: Final = ("mmr", "imr")


def compare(document: Any, library: Library) -> dict[str, Any]:
    """`comparison_of` a book document; DocumentError with every fault of the book itself."""
    book = read_book(document, library)
    return comparison_of(book, document["account"].get("hedge_mode"), library, sha256_of(document))


def comparison_of(
    book: BookDocument, mode: str | None, library: Library, input_sha256: str
) -> dict[str, Any]:
    """The account's figures by methodology, each by the parameters in force at `as_of`.

    The book's own methodology goes by the parameters that the book names, the others as `under` says. A
    methodology that cannot margin the book is null, with the reason under `reasons`. For `saving` see
    `savings`.
    """
    figures: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for name in OFFERED:
        try:
            figures[name] = report_of(under(book, name, mode, library), input_sha256)["account"]
        except DocumentError as error:
            figures[name], reasons[name] = None, str(error)
    return {
        **figures,
        "saving": savings(figures, short_option_value(book.book, book.market)),
        "reasons": reasons,
    }


def under(book: BookDocument, name: str, mode: str | None, library: Library) -> BookDocument:
    """The book under another methodology in force then, or the very book under its own.

    Another one takes the hedge mode where it has it, else its default. DocumentError where the methodology
    has no version in force, or does not price what the book holds.
    """
    if name == book.methodology:
        return book
    modes = HEDGE_MODES[name]
    hedge_mode = HedgeMode[(mode if mode in modes else modes[0]).upper()]
    account = replace(book.account_rows, hedge_mode=hedge_mode)
    return assemble(library.in_force(name, book.as_of), book.market_rows, account, book.market)


def short_option_value(book: Book, market: Market) -> float:
    """What the short options of a book of one account would cost to buy back at their marks, in USD."""
    positions = book.positions
    short = np.maximum(-positions.quantity, 0.0)
    value = option_value(market, positions.instrument, short) * market.settle_usd[positions.instrument]
    return float(value.sum())


def savings(figures: Mapping[str, Any], short_value: float) -> dict[str, Any] | None:
    """By methodology, the requirement of `standard` less its own; None where `standard` cannot be had.

    `standard` asks for the value of a short option besides, which the equity has been reduced by already.
    `without_short_option_value` compares what remains of its requirement without that.
    """
    yardstick = figures.get(_YARDSTICK)
    if yardstick is None:
        return None
    return {
        name: None
        if mine is None
        else {
            **{figure: yardstick[figure] - mine[figure] for figure in _REQUIREMENTS},
            "without_short_option_value": {
                figure: yardstick[figure] - short_value - mine[figure] for figure in _REQUIREMENTS
            },
        }
        for name, mine in figures.items()
        if name != _YARDSTICK
    }
