"""What a stored result's inputs tell: where its requirement comes from, and what else it might have been."""

from typing import Any

from margin import selectors
from margin.engine.comparison import comparison_of
from margin.engine.documents.book import BookDocument
from margin.engine.explain.document import explanation_of
from margin.models import MarginResult
from margin.services.inputs import result_book


def result_explanation(*, result: MarginResult) -> dict[str, Any] | None:
    """Where a result's requirement comes from, by risk unit; None where its inputs are not kept."""
    book = result_book(result=result)
    return None if book is None else explanation_of(book)


def result_comparison(*, result: MarginResult, book: BookDocument) -> dict[str, Any]:
    """The inputs of a result, `book`, under every methodology, as the engine's `comparison_of` tells."""
    return comparison_of(book, hedge_mode_of(book), selectors.parameter_library(), result.input_sha256)


def hedge_mode_of(book: BookDocument) -> str:
    """The hedge mode of a book as documents write it."""
    return book.account_rows.hedge_mode.name.lower()
