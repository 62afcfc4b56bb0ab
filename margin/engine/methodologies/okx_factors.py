"""The risk factors that both OKX methodologies share, over evaluations of order sets (spec 10, section 4).

An *evaluation* is one order set of one pair with a spot amount: the same row may be evaluated without and
with the spot orders. E evaluations, n price moves.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from margin.engine.methodologies.okx_arrays import Total
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_in_use
from margin.engine.order_sets import OrderSet, UnitRows
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stress:
    """The sparse products of one unit: every row's P&L, by bucket and in total.

    Attributes
    ----------
    run_columns : (N, W) bucket columns of every run (row within one expiry).
    columns : (R, W) the same added up over a row's runs.
    totals : (R, K) columns of `Total`.
    """

    arrays: RiskArrays
    rows: UnitRows
    run_columns: Floats
    columns: Floats
    totals: Floats

    @classmethod
    def of(cls, arrays: RiskArrays, rows: UnitRows) -> "Stress":
        """Multiply the rows into the arrays."""
        run_columns = rows.runs.dot(arrays.buckets)
        return cls(arrays, rows, run_columns, rows.run_sums.dot(run_columns), rows.entries.dot(arrays.sums))

    @property
    def moves(self) -> int:
        """n, the number of price moves."""
        return len(self.arrays.price_moves)

    def grid(self, columns: Floats) -> Floats:
        """(., 3, n) scenario P&L, volatility down, same and up, out of bucket columns."""
        return columns[:, : 3 * (self.moves + 1)].reshape(len(columns), 3, self.moves + 1)[:, :, : self.moves]

    @cached_property
    def extremes(self) -> Floats:
        """(R, 2) P&L at MR6's fall and rise."""
        return self.columns[:, [self.moves, 2 * self.moves + 1]]

    @cached_property
    def worst_by_move(self) -> Floats:
        """(R, n) P&L at each price move in its worst volatility column."""
        return np.ascontiguousarray(self.grid(self.columns).min(axis=1))

    @cached_property
    def twisted_by_move(self) -> Floats:
        """(R, n) P&L at each price move when every expiry takes its own worst volatility column."""
        worst = np.ascontiguousarray(self.grid(self.run_columns).min(axis=1))
        return self.rows.run_sums.dot(worst)


@dataclass(frozen=True, eq=False)
class Evaluations:
    """E evaluations, sorted by pair, then without and with spot orders: the row, and its spot in use."""

    row: Ints
    pair: Ints
    with_spot_orders: npt.NDArray[np.bool_]
    spot_in_use: Floats

    @classmethod
    def of(cls, stress: Stress, spot: SpotHedge) -> "Evaluations":
        """Every row without the spot orders, and again with them where the pair has any."""
        rows = stress.rows
        every = np.arange(len(rows.row_pair), dtype=np.int32)
        again = every[spot.ordered[rows.row_pair] != 0.0]
        row = np.concatenate((every, again))
        with_orders = np.arange(len(row)) >= len(every)
        order = np.lexsort((rows.row_set[row], with_orders, rows.row_pair[row]))
        row, with_orders = row[order].astype(np.int32), with_orders[order]
        pair = rows.row_pair[row]
        amount = spot.amount[pair] + np.where(with_orders, spot.ordered[pair], 0.0)
        delta = stress.totals[row, Total.DELTA]
        in_use = spot_in_use(amount, delta, spot.ratio[pair], spot.max_amount[pair])
        return cls(row, pair, with_orders, in_use)


def shared_factors(
    stress: Stress, chosen: Evaluations, spot_price: float, parameters: OkxParameters, coin: str
) -> dict[str, Floats]:
    """MR1, MR2, MR3, MR5, MR6 and MR7 of every evaluation, (E,) each."""
    row = chosen.row
    spot = (chosen.spot_in_use * spot_price)[:, None]
    moves = stress.arrays.price_moves
    extreme = parameters.extreme_move.of(coin) * np.array([-1.0, 1.0])
    mr1 = _worst_loss(stress.worst_by_move[row] + spot * moves)
    twisted = -(stress.twisted_by_move[row] + spot * moves).min(axis=1)
    totals = stress.totals[row]
    return {
        "mr1": mr1,
        "mr2": np.maximum(-totals[:, Total.THETA], 0.0),
        "mr3": parameters.twist_factor * np.maximum(twisted - mr1, 0.0),
        "mr5": _worst_loss(totals[:, Total.CURVES :]),
        "mr6": parameters.extreme_loss_factor * _worst_loss(stress.extremes[row] + spot * extreme),
        "mr7": parameters.minimum_charge_tiers.of(coin).apply(totals[:, Total.MINIMUM_CHARGE]),
    }


def _worst_loss(pnl: Floats) -> Floats:
    """max(0, -min over columns), as a plain positive zero where nothing is lost."""
    worst: Floats = pnl.min(axis=1)
    return np.maximum(-worst, 0.0)


def requirement(factors: dict[str, Floats]) -> Floats:
    """max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7); a methodology without MR9 leaves it out."""
    market = np.maximum(np.maximum(factors["mr1"], factors["mr2"]), factors["mr6"])
    total = market + factors["mr3"] + factors["mr4"] + factors["mr5"]
    if "mr9" in factors:
        total = total + factors["mr9"]
    return np.maximum(total, factors["mr7"])


def binding_evaluations(chosen: Evaluations, mmr: Floats, pairs: int) -> Ints:
    """(P,) the evaluation that decides each pair: min(max without, max with spot orders), first of ties."""
    key = 2 * chosen.pair + chosen.with_spot_orders
    start = np.flatnonzero(np.diff(key, prepend=-1))
    peak = np.maximum.reduceat(mmr, start)
    lengths = np.diff(np.append(start, len(key)))
    at_peak = np.flatnonzero(mmr == np.repeat(peak, lengths))
    first = at_peak[np.searchsorted(at_peak, start)]
    pair = chosen.pair[start]
    lowest = np.full(pairs, np.inf)
    np.minimum.at(lowest, pair, peak)
    winners = np.flatnonzero(peak == lowest[pair])
    return first[winners[np.searchsorted(pair[winners], np.arange(pairs))]].astype(np.int32)


def binding_name(order_set: int, with_spot_orders: bool) -> str:
    """The report's name of an order set."""
    name = OrderSet(order_set).name.lower()
    return f"{name}_with_spot_orders" if with_spot_orders else name
