"""Shares of the risk factors that both OKX methodologies have (spec 10, section 4; spec 60, `explain`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from margin.engine.explain.explanation import Component
from margin.engine.explain.players import Players
from margin.engine.explain.words import move_words, scenario_words
from margin.engine.instruments import EPOCH
from margin.engine.market import Market
from margin.engine.methodologies.okx_arrays import Total
from margin.engine.methodologies.okx_factors import Stress
from margin.engine.parameters.okx import OkxParameters
from margin.engine.scenarios import VOL_SHIFTS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Binding:
    """The binding evaluation of a one-account book in one unit, as what explains it reads it.

    Attributes
    ----------
    spot_in_use : coins.
    values : the components, USD.
    """

    market: Market
    parameters: OkxParameters
    stress: Stress
    row: int
    spot_in_use: float
    values: Mapping[str, float]
    players: Players

    @property
    def spot_cash(self) -> float:
        """USD of spot in use at the index."""
        return self.spot_in_use * self.market.index[f"{self.stress.arrays.unit.coin}-USD"]

    @property
    def run_slice(self) -> slice:
        """The runs of the row."""
        first, end = self.stress.rows.row_runs[self.row : self.row + 2]
        return slice(int(first), int(end))

    def none(self, name: str, words: str) -> Component:
        """A component that its own `max` with zero made zero: nobody has a share in it."""
        return Component(self.values[name], np.zeros(len(self.players.listed)), words)

    def loss(self, slope: Floats, spot_pnl: float = 0.0) -> Floats:
        """(P,) losses by player out of the P&L of one long contract (M,), and of the spot."""
        return -self.players.shares(slope, spot_pnl)

    def total(self, column: int) -> Floats:
        """(M,) a column of `RiskArrays.sums` for one long contract."""
        return self.stress.arrays.sums[0::2, column]

    def bucket_column(self, column: int) -> Floats:
        """(M,) a column of `RiskArrays.buckets` for one long contract."""
        return self.stress.arrays.buckets[0::2, column]

    def column_of(self, vol_shift: int, move: int) -> int:
        """Where a scenario stands among the bucket columns."""
        return vol_shift * (self.stress.moves + 1) + move

    def grid(self) -> Floats:
        """(n, 3) P&L of everything at each price move and volatility shift, as reported."""
        moves = self.stress.arrays.price_moves
        pnl = self.stress.scenarios[..., self.row].T
        return np.asarray(pnl + self.spot_cash * moves[:, None])

    def expiry_label(self, bucket: int) -> str:
        """The instant of an expiry bucket as the documents write it."""
        unit = self.stress.arrays.unit
        if not unit.dated[bucket]:
            return "perpetual"
        member = unit.members[np.flatnonzero(unit.bucket == bucket)[0]]
        expiry = EPOCH + timedelta(microseconds=int(self.market.instruments.expiry[member]))
        return expiry.isoformat().replace("+00:00", "Z")


def price_and_volatility(binding: Binding) -> Component:
    """MR1: the P&L of each player in the worst cell."""
    pnl = binding.grid()
    i, j = divmod(int(np.argmin(pnl)), len(VOL_SHIFTS))
    if pnl[i, j] >= 0.0:
        return binding.none("mr1", "the worst price and volatility")
    move = float(binding.stress.arrays.price_moves[i])
    shares = binding.loss(binding.bucket_column(binding.column_of(j, i)), binding.spot_cash * move)
    words = scenario_words(move, VOL_SHIFTS[j], vol_matters=bool(np.ptp(pnl[i]) > 0.0))
    return Component(binding.values["mr1"], shares, words, {"price_move": move, "vol_shift": VOL_SHIFTS[j]})


def time_decay(binding: Binding) -> Component:
    """MR2: the decay of each option."""
    hours = binding.parameters.decay_hours
    words = f"the passing of {hours:g} hours"
    if binding.values["mr2"] <= 0.0:
        return binding.none("mr2", words)
    shares = binding.loss(binding.total(Total.THETA))
    return Component(binding.values["mr2"], shares, words, {"hours": hours})


def term_structure(binding: Binding, mr1: Component) -> Component:
    """MR3: each expiry at its own volatility column, less the share of MR1."""
    words = "a twist of the volatility term structure"
    if binding.values["mr3"] <= 0.0:
        return binding.none("mr3", words)
    stress, runs = binding.stress, binding.run_slice
    moves, grid = stress.arrays.price_moves, stress.grid(stress.run_columns[runs].T)
    i = int(np.argmin(stress.twisted_by_move[:, binding.row] + binding.spot_cash * moves))
    buckets, chosen = stress.rows.run_bucket[runs], grid[:, i].argmin(axis=0)
    column = np.zeros(len(stress.arrays.unit.bucket_years), dtype=np.intp)
    column[buckets] = binding.column_of(1, 0) * chosen + i
    unit = stress.arrays.unit
    slope = stress.arrays.buckets[2 * np.arange(len(unit.members)), column[unit.bucket]]
    twisted = binding.loss(slope, binding.spot_cash * float(moves[i]))
    shares = binding.parameters.twist_factor * (twisted - mr1.shares)
    matters = np.ptp(grid[:, i], axis=0) > 0.0
    shifts = {
        binding.expiry_label(int(bucket)): VOL_SHIFTS[shift]
        for bucket, shift in zip(buckets[matters], chosen[matters], strict=True)
    }
    cell = {"price_move": float(moves[i]), "vol_shift_by_expiry": shifts}
    return Component(binding.values["mr3"], shares, words, cell)


def interest_rate(binding: Binding) -> Component:
    """MR5: the P&L of each option under the worst curve."""
    words = "a shift of the rate curve"
    if binding.values["mr5"] <= 0.0:
        return binding.none("mr5", words)
    curve = int(np.argmin(binding.stress.totals[Total.CURVES :, binding.row]))
    shares = binding.loss(binding.total(Total.CURVES + curve))
    return Component(binding.values["mr5"], shares, words, {"curve": curve})


def extreme_move(binding: Binding) -> Component:
    """MR6: the loss factor's part of the P&L at the worse extreme."""
    size = float(binding.parameters.extreme_move.of(binding.stress.arrays.unit.coin))
    factor = binding.parameters.extreme_loss_factor
    if binding.values["mr6"] <= 0.0:
        return binding.none("mr6", "an extreme move")
    extremes = binding.stress.extremes[:, binding.row] + binding.spot_cash * np.array([-size, size])
    side = int(np.argmin(extremes))
    move = (-size, size)[side]
    slope = binding.bucket_column(binding.column_of(side, binding.stress.moves))
    shares = factor * binding.loss(slope, binding.spot_cash * move)
    words = f"{factor * 100.0:.4g} % of the loss at {move_words(move)}"
    return Component(binding.values["mr6"], shares, words, {"price_move": move})


def minimum_charge(binding: Binding) -> Component:
    """MR7: the raw charge of each player at the average multiplier of its tiers."""
    words = "the minimum charge for closing"
    raw = float(binding.stress.totals[Total.MINIMUM_CHARGE, binding.row])
    if raw <= 0.0:
        return binding.none("mr7", words)
    multiplier = binding.values["mr7"] / raw
    slope = binding.players.gross_slope(binding.stress.arrays.sums[:, Total.MINIMUM_CHARGE])
    shares = binding.players.shares(slope * multiplier)
    return Component(binding.values["mr7"], shares, words, {"raw": raw, "average_multiplier": multiplier})


def shared_components(binding: Binding) -> dict[str, Component]:
    """MR1, MR2, MR3, MR5, MR6 and MR7, divided."""
    mr1 = price_and_volatility(binding)
    return {
        "mr1": mr1,
        "mr2": time_decay(binding),
        "mr3": term_structure(binding, mr1),
        "mr5": interest_rate(binding),
        "mr6": extreme_move(binding),
        "mr7": minimum_charge(binding),
    }
