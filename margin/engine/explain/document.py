"""Explanations of a book: which position, order and spot hedge the requirement comes from."""

from typing import Any

import numpy as np

from margin.engine.book import Book
from margin.engine.documents.book import BookDocument, read_book
from margin.engine.errors import DocumentError, EngineError, Fault, NonFiniteError
from margin.engine.explain.explanation import UnitExplanation
from margin.engine.market import Market
from margin.engine.methodologies.explainers import explainer
from margin.engine.parameters.library import Library, Parameters
from margin.engine.pipeline import partition, stress_unit


def explain_book(book: Book, market: Market, parameters: Parameters) -> tuple[UnitExplanation, ...]:
    """The explanation of every risk unit of a book of one account, sorted by unit.

    Raises
    ------
    DocumentError
        At `methodology`, where it is not explained.
    NonFiniteError
        When a share leaves the finite numbers.
    """
    if len(book) != 1:
        raise EngineError("only a book of one account can be explained")
    units = partition(market, parameters)
    arrays = {number: stress_unit(market, units.units[number], parameters) for number in units.held_by(book)}
    with np.errstate(all="ignore"):
        explained = explainer(parameters.header.methodology).explain(book, market, parameters, units, arrays)
    for unit in explained:
        unit.require_finite(book.ids[0])
    return explained


def explain_document(document: Any, library: Library) -> dict[str, Any]:
    """`explanation_of` a book document; DocumentError with the path of every fault."""
    return explanation_of(read_book(document, library))


def explanation_of(book: BookDocument) -> dict[str, Any]:
    """The explanation of a checked book by unit, as plain values (spec 60, section 1).

    Raises
    ------
    DocumentError
        At `account` where a share is not finite.
    """
    try:
        explained = explain_book(book.book, book.market, book.parameters)
    except NonFiniteError as error:
        raise DocumentError([Fault("account", str(error))]) from error
    return {unit.unit: unit.document() for unit in explained}
