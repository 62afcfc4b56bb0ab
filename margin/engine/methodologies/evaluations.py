"""Order sets evaluated, and the one that binds: what the stress methodologies share over a shard.

An *evaluation* is one order set of one pair with a spot amount: the same row may be evaluated without and
with the spot orders. E evaluations, R rows, N runs of a row in one expiry, P pairs, n price moves. Figures
have rows or evaluations along their last axis, so that every step of a methodology runs over whole vectors.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from margin.engine.methodologies.spot_hedge import SpotHedge, spot_in_use
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.order_sets import UnitRows
from margin.engine.results import is_finite
from margin.engine.risk_arrays import RiskArrays

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Which of several: their numbers, or all of them in their order.
Chosen: TypeAlias = Ints | slice

_ALL: Final = slice(None)


@dataclass(frozen=True)
class PerExpiry:
    """What a methodology must know of each expiry by itself.

    Attributes
    ----------
    count : J, the number of figures.
    figures : out of the bucket columns (N, W) of runs, and the bucket of each, (N, J) figures.
    """

    count: int
    figures: Callable[[Floats, Places], Floats]


class Scratch:
    """Memory by name that is used again: each array is overwritten by the next one of its name.

    What is written block by block then stays in a processor's cache, and is not mapped anew by the system.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Floats] = {}

    def array(self, name: str, rows: int, columns: int) -> Floats:
        """(rows, columns) numbers of whatever value."""
        size, kept = rows * columns, self._kept.get(name)
        if kept is None or len(kept) < size:
            kept = self._kept[name] = np.empty(size)
        return kept[:size].reshape(rows, columns)


@dataclass(frozen=True, eq=False)
class Products:
    """The sparse products of the rows of one unit: what they hold, in the columns of the risk arrays.

    Attributes
    ----------
    columns : (W, R) bucket columns, added up over a row's runs.
    by_expiry : (J, R) the figures of `PerExpiry`, added up likewise.
    totals : (K, R) the columns of `RiskArrays.sums`; those of `Sensitivity` come first.
    finite : whether all columns and totals are known to be finite.
    """

    arrays: RiskArrays
    rows: UnitRows
    columns: Floats
    by_expiry: Floats
    totals: Floats
    finite: bool

    @classmethod
    def of(cls, arrays: RiskArrays, rows: UnitRows, per_expiry: PerExpiry, scratch: Scratch) -> Self:
        """Multiply the rows into the arrays; the products stand until `scratch` is used again."""
        count, width, sums = len(rows.row_pair), arrays.buckets.shape[1], arrays.sums.shape[1]
        columns = scratch.array("columns", width, count)
        by_expiry = scratch.array("by_expiry", per_expiry.count, count)
        finite = True
        for chunk in rows.chunks:
            added = chunk.sums
            held = chunk.runs.dot(arrays.buckets, out=scratch.array("held", len(chunk.runs), width))
            figures = per_expiry.figures(held, chunk.bucket)
            summed = added.dot(held, out=scratch.array("summed", len(added), width))
            columns[:, chunk.rows] = summed.T
            # Here, where it costs least: read again from memory, it took 7 of 110 ms.
            finite = finite and is_finite(summed)
            figured = scratch.array("figured", len(added), per_expiry.count)
            by_expiry[:, chunk.rows] = added.dot(figures, out=figured).T
        totalled = rows.entries.dot(arrays.sums, out=scratch.array("totalled", count, sums))
        totals = scratch.array("totals", sums, count)
        totals[:] = totalled.T
        return cls(arrays, rows, columns, by_expiry, totals, finite and is_finite(totalled))

    @property
    def moves(self) -> int:
        """n, the number of price moves."""
        return len(self.arrays.price_moves)

    @cached_property
    def run_columns(self) -> Floats:
        """(N, W) bucket columns of every run."""
        return self.rows.runs.dot(self.arrays.buckets)


@dataclass(frozen=True, eq=False)
class Variants:
    """The E evaluations to be made of rows, sorted by pair, then without and with spot orders.

    Attributes
    ----------
    amount, ratio, max_amount : (E,) the spot that may hedge in each, and the holder's limits on it.
    """

    pairs: int
    row: Ints
    pair: Ints
    with_spot_orders: Bools
    amount: Floats
    ratio: Floats
    max_amount: Floats

    @classmethod
    def of(cls, rows: UnitRows, spot: SpotHedge) -> Self:
        """Every row without the spot orders, and again with them where the pair has any."""
        every = np.arange(len(rows.row_pair), dtype=np.int32)
        again = every[spot.ordered[rows.row_pair] != 0.0]
        row = np.concatenate((every, again))
        with_orders = np.arange(len(row)) >= len(every)
        if len(again):
            order = np.lexsort((rows.row_set[row], with_orders, rows.row_pair[row]))
            row, with_orders = row[order], with_orders[order]
        pair = rows.row_pair[row]
        amount = spot.amount[pair] + np.where(with_orders, spot.ordered[pair], 0.0)
        pairs = len(rows.pair_account)
        return cls(pairs, row, pair, with_orders, amount, spot.ratio[pair], spot.max_amount[pair])

    @cached_property
    def rows(self) -> Chosen:
        """The row of each evaluation: all in their order where no spot order stands."""
        return self.row if self.with_spot_orders.any() else _ALL

    def row_of(self, chosen: Chosen) -> Chosen:
        """The rows of chosen evaluations."""
        return self.rows if isinstance(chosen, slice) else self.row[chosen]

    @cached_property
    def any_spot(self) -> bool:
        """Whether anybody has spot that may hedge."""
        return bool(self.amount.any())

    @cached_property
    def once(self) -> bool:
        """Whether every pair is evaluated once."""
        return len(self.row) == self.pairs

    @cached_property
    def starts(self) -> npt.NDArray[np.intp]:
        """The first evaluation of each pair without, and of each with spot orders."""
        return np.flatnonzero(np.diff(2 * self.pair + self.with_spot_orders, prepend=-1))


@dataclass(frozen=True, eq=False)
class Evaluations:
    """E evaluations, each with its own spot in use, in coins."""

    variants: Variants
    spot_in_use: Floats

    @classmethod
    def of(cls, products: Products, variants: Variants) -> Self:
        """The evaluations of rows; spot hedges the delta of each."""
        if not variants.any_spot:
            return cls(variants, np.zeros(len(variants.row)))
        delta = products.totals[Sensitivity.DELTA][variants.rows]
        in_use = spot_in_use(variants.amount, delta, variants.ratio, variants.max_amount)
        return cls(variants, in_use)

    def of_rows(self, values: Floats) -> Floats:
        """Figures of rows (..., R) as those of evaluations (..., E)."""
        return values[..., self.variants.rows]

    def with_spot(self, values: Floats, spot_pnl: Floats) -> Floats:
        """The same with what the spot in use adds (..., E)."""
        values = self.of_rows(values)
        return values + spot_pnl if self.variants.any_spot else values


def binding_evaluations(variants: Variants, mmr: Floats) -> Chosen:
    """(P,) the evaluation that decides each pair: min(max without, max with spot orders), first of ties."""
    if variants.once:
        return _ALL
    start = variants.starts
    peak = np.maximum.reduceat(mmr, start)
    lengths = np.diff(np.append(start, len(mmr)))
    at_peak = np.flatnonzero(mmr == np.repeat(peak, lengths))
    first = at_peak[np.searchsorted(at_peak, start)]
    pair = variants.pair[start]
    lowest = np.full(variants.pairs, np.inf)
    np.minimum.at(lowest, pair, peak)
    winners = np.flatnonzero(peak == lowest[pair])
    return first[winners[np.searchsorted(pair[winners], np.arange(variants.pairs))]].astype(np.int32)


def worst_loss(pnl: Floats) -> Floats:
    """max(0, -min over the first axis), as a plain positive zero where nothing is lost; (E,)."""
    worst: Floats = pnl.min(axis=0)
    return np.maximum(-worst, 0.0)
