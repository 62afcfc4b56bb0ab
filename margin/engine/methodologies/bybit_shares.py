"""Shares of the five contingencies of `bybit-uta` (spec 20, section 3; spec 60, `explain`).

Each is of degree one in what is held, so a player's share is its quantity times the gradient.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine.explain.explanation import Component
from margin.engine.explain.players import Players
from margin.engine.instruments import DAYS_PER_YEAR
from margin.engine.market import Market
from margin.engine.methodologies.bybit_account import collateral_ratio
from margin.engine.methodologies.bybit_arrays import Maturity, Total
from margin.engine.methodologies.bybit_contingencies import Stress
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Binding:
    """The binding evaluation of a one-account book in one unit.

    Attributes
    ----------
    spot_in_use : coins.
    values : the components, USD.
    """

    market: Market
    parameters: BybitParameters
    stress: Stress
    row: int
    spot_in_use: float
    values: Mapping[str, float]
    players: Players

    @property
    def coin(self) -> str:
        """The underlying."""
        return self.stress.arrays.unit.coin

    @property
    def spot_price(self) -> float:
        """USD index of the coin."""
        return self.market.index[f"{self.coin}-USD"]

    @property
    def bucket(self) -> npt.NDArray[np.int32]:
        """(M,) expiry bucket of each member."""
        return self.stress.arrays.unit.bucket

    def none(self, name: str, words: str) -> Component:
        """A component that is zero: nobody has a share in it."""
        return Component(self.values[name], np.zeros(len(self.players.listed)), words)

    def bucket_column(self, column: int) -> Floats:
        """(M,) a column of `RiskArrays.buckets` for one long contract."""
        return self.stress.arrays.buckets[0::2, column]

    def maturity_column(self, column: Maturity) -> Floats:
        """(M,) a column of `Maturity` for one long contract."""
        return self.bucket_column(3 * self.stress.moves + column)

    def by_bucket(self, column: Maturity) -> Floats:
        """(B,) what is held in each expiry bucket of the unit."""
        first, end = self.stress.rows.row_runs[self.row : self.row + 2]
        held = np.zeros(len(self.stress.arrays.unit.bucket_years))
        held[self.stress.rows.run_bucket[first:end]] = self.stress.by_maturity(column)[first:end]
        return held

    def total(self, column: int) -> float:
        """A column of `RiskArrays.sums` over everything held."""
        return float(self.stress.totals[column, self.row])

    def gross(self, column: int) -> Floats:
        """(M,) slope of a gross column of `RiskArrays.sums`."""
        return self.players.gross_slope(self.stress.arrays.sums[:, column])

    def charge(self, name: str, rates: Mapping[str, float], slope: Floats, words: str) -> Component:
        """A component out of coins charged for one more contract (M,), at a rate per coin of the index."""
        if self.values[name] <= 0.0:
            return self.none(name, words)
        rate = for_coin(rates, self.coin) * self.spot_price
        return Component(self.values[name], self.players.shares(slope * rate), words)


def contingency_components(binding: Binding) -> dict[str, Component]:
    """The five charges by their names, divided."""
    rates = binding.parameters
    return {
        "short_option": binding.charge(
            "short_option", rates.short_option, _short_options(binding), "being net short of options"
        ),
        "vega_spread": binding.charge(
            "vega_spread", rates.vega_spread, _spread_days(binding, Maturity.VEGA), "vega between expiries"
        ),
        "stablecoin_spread": binding.charge(
            "stablecoin_spread",
            rates.stablecoin_spread,
            _offset_groups(binding),
            "a stable currency losing its peg",
        ),
        "delta_spread": _delta_spread(binding),
        "perp_futures": binding.charge(
            "perp_futures", rates.perp_futures, binding.gross(Total.FUTURES), "closing perpetuals and futures"
        ),
    }


def _short_options(binding: Binding) -> Floats:
    """(M,) a contract counts where its type is net short in its expiry."""
    slope = np.zeros(len(binding.bucket))
    for kind in (Maturity.CALLS, Maturity.PUTS):
        short = (binding.by_bucket(kind) < 0.0)[binding.bucket]
        slope -= np.where(short, binding.maturity_column(kind), 0.0)
    return slope


def _spread_days(binding: Binding, column: Maturity) -> Floats:
    """(M,) gradient of what expiries of opposite sign offset, times the days between their centres.

    With `L` a side's coins and `T` its centre, one more coin at `t` days moves the centre by `(t - T) / L`,
    and where the side is the smaller one it offsets one more; of two equal sides, half.
    """
    amount = binding.by_bucket(column)
    days = binding.stress.arrays.unit.bucket_years * DAYS_PER_YEAR
    sides = np.stack([np.maximum(amount, 0.0), np.maximum(-amount, 0.0)])
    coins = sides.sum(axis=1)
    if not coins.all():
        return np.zeros(len(binding.bucket))
    centres = sides @ days / coins
    apart, offset = centres[0] - centres[1], coins.min()
    part = (1.0 + np.sign(coins[1] - coins[0])) / 2.0
    per_coin = np.array([part, 1.0 - part])[:, None] * abs(apart)
    towards = np.sign(apart) * offset * np.array([1.0, -1.0]) / coins
    moved = towards[:, None] * (days - centres[:, None])
    side = (amount < 0.0).astype(np.intp)
    slope = np.sign(amount) * (per_coin + moved)[side, np.arange(len(days))]
    return np.asarray(slope[binding.bucket] * binding.maturity_column(column))


def _offset_groups(binding: Binding) -> Floats:
    """(M,) half of: the sign of the contract's settlement group less that of the whole, times its delta."""
    columns = (Total.DELTA_USDT, Total.DELTA_USDC, Total.DELTA_USD)
    groups = np.array([binding.total(column) for column in columns])
    unit, sums = binding.stress.arrays.unit, binding.stress.arrays.sums
    group = binding.market.instruments.group[unit.members]
    direction = (np.sign(groups) - np.sign(groups[0] + groups[1] + groups[2])) / 2.0
    return np.asarray(direction[group] * sums[0::2, Sensitivity.DELTA])


def _delta_spread(binding: Binding) -> Component:
    """The calendar part, and the basis part: the hedging spot bears it, what is hedged moves its mean."""
    words = "delta between expiries, and the basis of hedged spot"
    calendar = binding.charge(
        "delta_spread", binding.parameters.delta_spread, _spread_days(binding, Maturity.DELTA), words
    )
    rule = for_coin(binding.parameters.spot_basis, binding.coin)
    hedges_short = binding.spot_in_use > 0.0
    gross, premium = (
        (Total.BELOW, Total.BELOW_PREMIUM) if hedges_short else (Total.ABOVE, Total.ABOVE_PREMIUM)
    )
    weight = binding.total(gross)
    if binding.spot_in_use == 0.0 or weight <= 0.0:
        return calendar
    mean = binding.total(premium) / weight
    ratio = collateral_ratio(binding.parameters.discount, binding.coin)
    uncovered = abs(mean) * rule.factor - rule.threshold - (1.0 - ratio)
    if uncovered <= 0.0:
        return calendar
    hedged = abs(binding.spot_in_use) * binding.spot_price
    drift = (binding.gross(premium) - mean * binding.gross(gross)) / weight
    basis = binding.players.shares(hedged * rule.factor * np.sign(mean) * drift, hedged * uncovered)
    cell = {"mean_basis": mean, "uncovered": uncovered}
    return Component(calendar.value, calendar.shares + basis, words, cell)
