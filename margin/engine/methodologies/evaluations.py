"""Order sets evaluated, and the one that binds: what the stress methodologies share over a shard.

An *evaluation* is one order set of one pair with a spot amount: the same row may be evaluated without and
with the spot orders. E evaluations, R rows, P pairs, n price moves.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from margin.engine.account import unit_upl
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_in_use
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.order_sets import OrderSet, UnitRows
from margin.engine.results import UnitFigures
from margin.engine.risk_arrays import RiskArrays

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Products:
    """The sparse products of one unit: every row in the columns of the risk arrays, by bucket and in total.

    Attributes
    ----------
    run_columns : (N, W) bucket columns of every run (row within one expiry).
    columns : (R, W) the same added up over a row's runs.
    totals : (R, K) the columns of `RiskArrays.sums`; those of `Sensitivity` come first.
    """

    arrays: RiskArrays
    rows: UnitRows
    run_columns: Floats
    columns: Floats
    totals: Floats

    @classmethod
    def of(cls, arrays: RiskArrays, rows: UnitRows) -> Self:
        """Multiply the rows into the arrays."""
        run_columns = rows.runs.dot(arrays.buckets)
        return cls(arrays, rows, run_columns, rows.run_sums.dot(run_columns), rows.entries.dot(arrays.sums))

    @property
    def moves(self) -> int:
        """n, the number of price moves."""
        return len(self.arrays.price_moves)


@dataclass(frozen=True, eq=False)
class Evaluations:
    """E evaluations, sorted by pair, then without and with spot orders: the row, and its spot in use."""

    row: Ints
    pair: Ints
    with_spot_orders: npt.NDArray[np.bool_]
    spot_in_use: Floats

    @classmethod
    def of(cls, products: Products, spot: SpotHedge) -> Self:
        """Every row without the spot orders, and again with them where the pair has any."""
        rows = products.rows
        every = np.arange(len(rows.row_pair), dtype=np.int32)
        again = every[spot.ordered[rows.row_pair] != 0.0]
        row = np.concatenate((every, again))
        with_orders = np.arange(len(row)) >= len(every)
        order = np.lexsort((rows.row_set[row], with_orders, rows.row_pair[row]))
        row, with_orders = row[order].astype(np.int32), with_orders[order]
        pair = rows.row_pair[row]
        amount = spot.amount[pair] + np.where(with_orders, spot.ordered[pair], 0.0)
        delta = products.totals[row, Sensitivity.DELTA]
        in_use = spot_in_use(amount, delta, spot.ratio[pair], spot.max_amount[pair])
        return cls(row, pair, with_orders, in_use)

    def chosen(self, numbers: Ints) -> Self:
        """The evaluations of those numbers."""
        return type(self)(
            self.row[numbers], self.pair[numbers], self.with_spot_orders[numbers], self.spot_in_use[numbers]
        )


def binding_evaluations(evaluated: Evaluations, mmr: Floats, pairs: int) -> Ints:
    """(P,) the evaluation that decides each pair: min(max without, max with spot orders), first of ties."""
    key = 2 * evaluated.pair + evaluated.with_spot_orders
    start = np.flatnonzero(np.diff(key, prepend=-1))
    peak = np.maximum.reduceat(mmr, start)
    lengths = np.diff(np.append(start, len(key)))
    at_peak = np.flatnonzero(mmr == np.repeat(peak, lengths))
    first = at_peak[np.searchsorted(at_peak, start)]
    pair = evaluated.pair[start]
    lowest = np.full(pairs, np.inf)
    np.minimum.at(lowest, pair, peak)
    winners = np.flatnonzero(peak == lowest[pair])
    return first[winners[np.searchsorted(pair[winners], np.arange(pairs))]].astype(np.int32)


def binding_name(order_set: int, with_spot_orders: bool) -> str:
    """The report's name of an order set."""
    name = OrderSet(order_set).name.lower()
    return f"{name}_with_spot_orders" if with_spot_orders else name


def worst_loss(pnl: Floats) -> Floats:
    """max(0, -min over columns), as a plain positive zero where nothing is lost; (E,)."""
    worst: Floats = pnl.min(axis=1)
    return np.maximum(-worst, 0.0)


def binding_figures(
    book: Book,
    market: Market,
    products: Products,
    binding: Evaluations,
    *,
    mmr: Floats,
    imr: Floats,
    components: Mapping[str, Floats],
    pnl: Floats,
) -> UnitFigures:
    """The figures of one unit, all of the one evaluation that binds each pair; (P,), and `pnl` (P, n, 3)."""
    arrays, rows = products.arrays, products.rows
    totals = products.totals[binding.row]
    members = np.zeros(len(market.instruments), dtype=np.bool_)
    members[arrays.unit.members] = True
    return UnitFigures(
        unit=arrays.unit.name,
        account=rows.pair_account,
        binding=tuple(
            binding_name(order_set, with_orders)
            for order_set, with_orders in zip(
                rows.row_set[binding.row], binding.with_spot_orders, strict=True
            )
        ),
        mmr=mmr,
        imr=imr,
        spot_in_use=binding.spot_in_use,
        delta=totals[:, Sensitivity.DELTA],
        cash_delta=totals[:, Sensitivity.CASH_DELTA],
        gamma=totals[:, Sensitivity.GAMMA],
        theta=totals[:, Sensitivity.THETA],
        vega=totals[:, Sensitivity.VEGA],
        upl=unit_upl(book, market, rows.pair_account, members),
        components=components,
        price_moves=arrays.price_moves,
        pnl=pnl,
    )
