"""The explainers by methodology. A new one is a module with `explain` and a line here."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from margin.engine.book import Book
from margin.engine.errors import DocumentError, Fault
from margin.engine.explain.explanation import UnitExplanation
from margin.engine.market import Market
from margin.engine.methodologies import (
    bybit_explain,
    okx_2025_explain,
    okx_classic_explain,
    standard_explain,
)
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition


class Explainer(Protocol):
    """How a methodology divides the requirement of every unit of a one-account book."""

    def explain(
        self, book: Book, market: Market, parameters: Any, units: Partition, arrays: Mapping[int, RiskArrays]
    ) -> tuple[UnitExplanation, ...]: ...


_BY_NAME: Final[Mapping[str, Explainer]] = {
    "okx-2025": okx_2025_explain,
    "okx-classic": okx_classic_explain,
    "bybit-uta": bybit_explain,
    "standard": standard_explain,
}

EXPLAINED: Final = tuple(_BY_NAME)


def explainer(name: str) -> Explainer:
    """The explainer of that methodology; DocumentError at `methodology` where there is none yet."""
    if name not in _BY_NAME:
        raise DocumentError([Fault("methodology", f"{name} is not explained yet")])
    return _BY_NAME[name]
