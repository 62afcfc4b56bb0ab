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

    The bucket columns are three blocks, volatility down, same and up: n price moves and one column more.
    """

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


def shared_factors(
    stress: Stress, chosen: Evaluations, spot_price: float, parameters: OkxParameters, coin: str
) -> dict[str, Floats]:
    """MR1, MR2, MR3, MR5, MR6 and MR7 of every evaluation, (E,) each."""
    row = chosen.row
    spot = (chosen.spot_in_use * spot_price)[:, None]
    moves = stress.arrays.price_moves
    extreme = parameters.extreme_move.of(coin) * np.array([-1.0, 1.0])
    mr1 = worst_loss(stress.worst_by_move[row] + spot * moves)
    twisted = -(stress.twisted_by_move[row] + spot * moves).min(axis=1)
    totals = stress.totals[row]
    return {
        "mr1": mr1,
        "mr2": np.maximum(-totals[:, Total.THETA], 0.0),
        "mr3": parameters.twist_factor * np.maximum(twisted - mr1, 0.0),
        "mr5": worst_loss(totals[:, Total.CURVES :]),
        "mr6": parameters.extreme_loss_factor * worst_loss(stress.extremes[row] + spot * extreme),
        "mr7": parameters.minimum_charge_tiers.of(coin).apply(totals[:, Total.MINIMUM_CHARGE]),
    }


def requirement(factors: dict[str, Floats]) -> Floats:
    """max(max(MR1, MR2, MR6) + MR3 + MR4 + MR5 + MR9, MR7); a methodology without MR9 leaves it out."""
    market = np.maximum(np.maximum(factors["mr1"], factors["mr2"]), factors["mr6"])
    total = market + factors["mr3"] + factors["mr4"] + factors["mr5"]
    if "mr9" in factors:
        total = total + factors["mr9"]
    return np.maximum(total, factors["mr7"])
