"""The methodologies by name. A new one is a module with these four functions and a line here."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from margin.engine.book import Book
from margin.engine.errors import DocumentError, Fault
from margin.engine.market import Market
from margin.engine.methodologies import bybit_uta, okx_2025, okx_classic, standard
from margin.engine.prepared import PreparedShard
from margin.engine.results import ShardMargin
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition, RiskUnit


class Methodology(Protocol):
    """How a methodology cuts risk units, stresses one of them, and prepares and margins a shard."""

    def partition(self, market: Market) -> Partition: ...

    def unit_arrays(self, market: Market, unit: RiskUnit, parameters: Any) -> RiskArrays: ...

    def prepare(
        self, book: Book, market: Market, parameters: Any, units: Partition, arrays: Mapping[int, RiskArrays]
    ) -> PreparedShard: ...

    def margin(
        self, shard: PreparedShard, market: Market, parameters: Any, arrays: Mapping[int, RiskArrays]
    ) -> ShardMargin: ...


_BY_NAME: Final[Mapping[str, Methodology]] = {
    "okx-2025": okx_2025,
    "okx-classic": okx_classic,
    "bybit-uta": bybit_uta,
    "standard": standard,
}

OFFERED: Final = tuple(_BY_NAME)


def methodology(name: str) -> Methodology:
    """The methodology of that name; DocumentError at `methodology` where it is not offered."""
    if name not in _BY_NAME:
        raise DocumentError(
            [Fault("methodology", f"{name} is not offered yet; offered: {', '.join(OFFERED)}")]
        )
    return _BY_NAME[name]
