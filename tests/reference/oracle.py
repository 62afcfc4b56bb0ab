"""The entry point: one book and one parameter version in, one margin report out."""

from collections.abc import Callable
from typing import Final

from tests.reference import bybit_uta, okx_2025, okx_classic, standard
from tests.reference.book import Book, Json, Report, read_book

METHODOLOGIES: Final[dict[str, Callable[[Book, Json], Report]]] = {
    "okx-2025": okx_2025.report,
    "okx-classic": okx_classic.report,
    "bybit-uta": bybit_uta.report,
    "standard": standard.report,
}


def margin_report(book: Json, parameters: Json) -> Report:
    """Margin a valid book document under one parameter version.

    The report has the product's shape without hashes and engine version. It carries more, for comparisons:
    ``gross`` (the scale of rounding), a currency's USD ``price``, and in a risk unit ``aliases`` and ``tied``
    (what else could have been named as binding).
    """
    methodology = parameters["methodology"]
    return {
        "methodology": methodology,
        "parameters": {"version": parameters["version"]},
        "as_of": book["as_of"],
        **METHODOLOGIES[methodology](read_book(book), parameters),
    }
