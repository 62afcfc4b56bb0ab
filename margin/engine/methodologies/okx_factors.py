"""The risk factors that both OKX methodologies share, over evaluations of order sets (spec 10, section 4)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from margin.engine.methodologies.evaluations import Evaluations, Products, worst_loss
from margin.engine.methodologies.okx_arrays import Total
from margin.engine.parameters.okx import OkxParameters

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stress(Products):
    """The sparse products of one unit, read as scenario P&L.

    The first bucket columns are three blocks, volatility down, same and up: n price moves and one column
    more. The first figures of each expiry are those of `worst_volatility`.
    """

    def grid(self, columns: Floats) -> Floats:
        """(3, n, .) scenario P&L, volatility down, same and up, out of bucket columns (W, .)."""
        width = self.moves + 1
        return columns[: 3 * width].reshape(3, width, columns.shape[1])[:, : self.moves]

    @cached_property
    def scenarios(self) -> Floats:
        """(3, n, R) P&L of every row."""
        return self.grid(self.columns)

    @cached_property
    def extremes(self) -> Floats:
        """(2, R) P&L at MR6's fall and rise."""
        return self.columns[self.moves : 2 * self.moves + 2 : self.moves + 1]

    @cached_property
    def worst_by_move(self) -> Floats:
        """(n, R) P&L at each price move in its worst volatility column."""
        return np.asarray(self.scenarios.min(axis=0))

    @cached_property
    def twisted_by_move(self) -> Floats:
        """(n, R) P&L at each price move when every expiry takes its own worst volatility column."""
        return self.by_expiry[: self.moves]


def worst_volatility(columns: Floats, moves: int) -> Floats:
    """The lowest of three blocks of bucket columns, those of each volatility shift.

    Parameters
    ----------
    columns : (N, W) of runs, W a multiple of the blocks' width n + 1.

    Returns
    -------
    (N, n + 1): n price moves, and a column to fill.
    """
    width = moves + 1
    # A block is copied as one item, which is several times faster than number by number.
    blocks = columns.view(np.dtype((np.void, width * columns.itemsize)))
    first, other = blocks[:, 0].copy(), blocks[:, 1].copy()
    worst = first.view(np.float64)
    np.minimum(worst, other.view(np.float64), out=worst)
    other[:] = blocks[:, 2]
    np.minimum(worst, other.view(np.float64), out=worst)
    return worst.reshape(-1, width)


def shared_factors(
    stress: Stress, chosen: Evaluations, spot_price: float, parameters: OkxParameters, coin: str
) -> dict[str, Floats]:
    """MR1, MR2, MR3, MR5, MR6 and MR7 of every evaluation, (E,) each."""
    spot = chosen.spot_in_use * spot_price
    spot_pnl = spot * stress.arrays.price_moves[:, None]
    extreme = parameters.extreme_move.of(coin) * np.array([[-1.0], [1.0]])
    mr1 = worst_loss(chosen.with_spot(stress.worst_by_move, spot_pnl))
    twisted = -chosen.with_spot(stress.twisted_by_move, spot_pnl).min(axis=0)
    totals = chosen.of_rows(stress.totals)
    return {
        "mr1": mr1,
        "mr2": np.maximum(-totals[Total.THETA], 0.0),
        "mr3": parameters.twist_factor * np.maximum(twisted - mr1, 0.0),
        "mr5": worst_loss(totals[Total.CURVES :]),
        "mr6": parameters.extreme_loss_factor * worst_loss(chosen.with_spot(stress.extremes, spot * extreme)),
        "mr7": parameters.minimum_charge_tiers.of(coin).apply(totals[Total.MINIMUM_CHARGE]),
    }


def requirement(factors: dict[str, Floats]) -> Floats:
    """max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7); a methodology without MR9 leaves it out."""
    market = np.maximum(np.maximum(factors["mr1"], factors["mr2"]), factors["mr6"])
    total = market + factors["mr3"] + factors["mr4"] + factors["mr5"]
    if "mr9" in factors:
        total = total + factors["mr9"]
    return np.maximum(total, factors["mr7"])
