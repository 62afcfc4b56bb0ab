"""Rows of the engine alone: complete margin of a book in memory, and the stress of a market."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from margin.engine import pipeline
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.okx_2025 import revalue
from margin.engine.methodologies.okx_arrays import scenario_columns
from margin.engine.methodologies.terms import Terms
from margin.engine.parameters.library import Parameters
from margin.engine.parameters.okx import OkxParameters
from margin.engine.prepared import PreparedShard
from margin.engine.risk_arrays import RiskArrays
from margin.engine.scenarios import symmetric_moves
from margin.engine.units import Partition
from margin.parameter_files import shipped_library
from pmplatform.benchmark.comparisons import Broadcast, TwoNdtr, quantities
from pmplatform.benchmark.measures import Measure, Quantity, at_most, times_faster
from pmplatform.benchmark.timing import Pairs, interleaved, processor_seconds

#: Scenario cells of a methodology: the columns of its bare product.
CELLS: Final = {"okx-2025": 23, "bybit-uta": 33}
#: The broadcast repricing is timed on so many accounts, and scaled.
_BROADCAST_ACCOUNTS: Final = 2_000


@dataclass(frozen=True, eq=False)
class Setting:
    """A methodology's parameters, units and arrays in a market."""

    market: Market
    parameters: Parameters
    units: Partition
    arrays: dict[int, RiskArrays]

    @classmethod
    def of(cls, methodology: str, market: Market) -> "Setting":
        """Everything but the book."""
        parameters = shipped_library().in_force(methodology, market.as_of)
        units = pipeline.partition(market, parameters)
        arrays = {i: pipeline.stress_unit(market, unit, parameters) for i, unit in enumerate(units.units)}
        return cls(market, parameters, units, arrays)

    def prepare(self, book: Book) -> PreparedShard:
        """A shard in memory."""
        return pipeline.prepare_shard(book, self.market, self.parameters, self.units, self.arrays)

    def stress(self) -> None:
        """Fan-out 1 of every unit."""
        for unit in self.units.units:
            pipeline.stress_unit(self.market, unit, self.parameters)


def engine_measures(book: Book, market: Market, pairs: int) -> Iterator[Measure]:
    """Margin against the bare product, and against repricing by account; arrays against `ndtr`."""
    okx = Setting.of("okx-2025", market)
    complete = _complete(book, okx, pairs)
    yield _against_product("okx-2025", book, complete)
    yield _against_broadcast(book, market, complete)
    bybit = Setting.of("bybit-uta", market)
    yield _against_product("bybit-uta", book, _complete(book, bybit, pairs))
    yield from _stress(okx, pairs)


def _complete(book: Book, setting: Setting, pairs: int) -> Pairs:
    """The whole margin of a shard that is in memory, beside the bare product."""
    shard = setting.prepare(book)
    matrix = quantities(book, setting.market)
    cells = CELLS[setting.parameters.header.methodology]
    dense = np.random.default_rng(2).normal(size=(len(setting.market.instruments), cells))
    return interleaved(
        lambda: pipeline.margin_prepared(shard, setting.market, setting.parameters, setting.arrays),
        lambda: matrix @ dense,
        pairs,
    )


def _against_product(methodology: str, book: Book, timed: Pairs) -> Measure:
    return at_most(
        f"complete {methodology} margin of {len(book):,} accounts in memory",
        Quantity(timed.seconds * 1e3, "ms"),
        Quantity(timed.compared * 1e3, "ms", f"bare {CELLS[methodology]}-column product"),
        10.0,
        f"{len(book.positions.account):,} positions, {len(book) / timed.seconds:,.0f} accounts/s",
    )


def _against_broadcast(book: Book, market: Market, timed: Pairs) -> Measure:
    accounts = min(_BROADCAST_ACCOUNTS, len(book))
    broadcast = Broadcast.of(market)
    positions = int(np.searchsorted(book.positions.account, accounts))
    sample = min(processor_seconds(lambda: broadcast.run(book, accounts)) for _ in range(3))
    whole = sample * len(book) / accounts
    return times_faster(
        "the same against repricing MR1 account by account",
        Quantity(timed.seconds * 1e3, "ms"),
        Quantity(whole * 1e3, "ms", "tight broadcast, MR1 alone"),
        25.0,
        f"timed on {accounts:,} accounts with {positions:,} positions, scaled to all",
    )


def _stress(okx: Setting, pairs: int) -> Iterator[Measure]:
    size = len(okx.market.instruments)
    cells = CELLS["okx-2025"]
    scenarios = interleaved(lambda: _scenario_cells(okx), TwoNdtr(size, cells), 5 * pairs)
    every = interleaved(okx.stress, TwoNdtr(size, cells), 5 * pairs)
    for name, timed, limit in (
        ("risk arrays, scenario cells", scenarios, 1.6),
        ("risk arrays, every column", every, 3.0),
    ):
        yield at_most(
            f"{name} of {size:,} instruments",
            Quantity(timed.seconds * 1e3, "ms"),
            Quantity(timed.compared * 1e3, "ms", f"two ndtr on {size:,} x {cells}"),
            limit,
        )


def _scenario_cells(okx: Setting) -> None:
    parameters = okx.parameters
    assert isinstance(parameters, OkxParameters)
    for unit in okx.units.units:
        terms = Terms.of(okx.market, unit)
        moves = symmetric_moves(parameters.price_moves.of(unit.coin))
        scenario_columns(terms, parameters, revalue, moves)
