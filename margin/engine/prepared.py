"""A shard made ready: cut into rows, blocks and cells once, then margined under any number of markets.

What is prepared depends on the book, on the instruments and their buckets, on the methodology's order sets
and modes, and on the signs of deltas where there are orders: not on any price. A single account is prepared
in the same way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine.account import sums_by
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Variants
from margin.engine.methodologies.spot_hedge import SpotHedge
from margin.engine.order_sets import UnitRows
from margin.engine.risk_arrays import RiskArrays
from margin.engine.shard_layout import ShardLayout
from margin.engine.units import Partition

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: The order sets of the unit of that number, and the spot that may hedge them.
Holdings = Callable[[Book, Partition, int, RiskArrays], tuple[UnitRows, SpotHedge]]


@dataclass(frozen=True, eq=False)
class Block:
    """A range of a unit's pairs: their rows, and how these are evaluated."""

    pairs: slice
    rows: UnitRows
    variants: Variants


@dataclass(frozen=True, eq=False)
class PreparedUnit:
    """One risk unit over a shard: P pairs, in blocks.

    Attributes
    ----------
    pair_of : (A,) pair of each account; meaningless for those that hold nothing of the unit.
    lot : (L,) which of the shard's `FutureLots` are of the unit.
    delta_sign : (M,) the signs of deltas by which its orders were sorted into sets; None without orders.
    """

    number: int
    rows: UnitRows
    blocks: tuple[Block, ...]
    pair_of: Ints
    lot: npt.NDArray[np.intp]
    lot_pair: Ints
    delta_sign: Floats | None

    @property
    def account(self) -> Ints:
        """(P,) account of each pair, each once."""
        return self.rows.pair_account

    def upl(self, lot_upl_usd: Floats) -> Floats:
        """(P,) USD unrealised P&L, out of that of every lot of the shard."""
        return sums_by(self.lot_pair, lot_upl_usd[self.lot], len(self.account))

    def serves(self, arrays: RiskArrays) -> bool:
        """Whether it still stands under other risk arrays of the same instruments."""
        return self.delta_sign is None or np.array_equal(self.delta_sign, arrays.delta_sign)


@dataclass(frozen=True, eq=False)
class PreparedShard:
    """A book made ready for one methodology."""

    book: Book
    layout: ShardLayout
    partition: Partition
    units: tuple[PreparedUnit, ...]

    def serves(self, market: Market, arrays: Mapping[int, RiskArrays]) -> bool:
        """Whether it may be margined under another market: equal instruments, and no delta changed its sign.

        Instruments are compared by what does not change from one moment to the next.
        """
        return self.layout.instruments.is_same_listing(market.instruments) and all(
            unit.serves(arrays[unit.number]) for unit in self.units
        )


def prepared(
    book: Book, market: Market, partition: Partition, arrays: Mapping[int, RiskArrays], holdings: Holdings
) -> PreparedShard:
    """A shard made ready, with the arrays of every unit it holds, by a methodology's own `holdings`."""
    layout = ShardLayout.of(book, market)
    units = [
        _unit(layout, partition, arrays[number], number, *holdings(book, partition, number, arrays[number]))
        for number in partition.held_by(book)
    ]
    return PreparedShard(book, layout, partition, tuple(units))


def _unit(
    layout: ShardLayout,
    partition: Partition,
    arrays: RiskArrays,
    number: int,
    rows: UnitRows,
    spot: SpotHedge,
) -> PreparedUnit:
    book, lots = layout.book, layout.lots
    pair_of = np.zeros(len(book), dtype=np.int32)
    pair_of[rows.pair_account] = np.arange(len(rows.pair_account), dtype=np.int32)
    lot = np.flatnonzero(partition.unit_of[lots.instrument] == number)
    ordered = bool((partition.unit_of[book.orders.instrument] == number).any())
    return PreparedUnit(
        number=number,
        rows=rows,
        blocks=tuple(
            Block(pairs, part, Variants.of(part, spot.part(pairs))) for pairs, part in rows.blocks()
        ),
        pair_of=pair_of,
        lot=lot,
        lot_pair=pair_of[lots.account[lot]],
        delta_sign=arrays.delta_sign if ordered else None,
    )
