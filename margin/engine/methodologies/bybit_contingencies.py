"""The five contingencies of `bybit-uta`: charges for risks that no scenario shows (spec 20, section 3).

All are USD per evaluation, (E,); E evaluations, R rows, N runs of a row in one expiry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from margin.engine.instruments import DAYS_PER_YEAR
from margin.engine.methodologies.bybit_arrays import Maturity, Total
from margin.engine.methodologies.evaluations import Evaluations, Products
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stress(Products):
    """The sparse products of one unit: three blocks of n price moves, then the columns of `Maturity`."""

    @cached_property
    def grid(self) -> Floats:
        """(R, 3, n) scenario P&L, volatility down, same and up."""
        return np.ascontiguousarray(self.columns[:, : 3 * self.moves]).reshape(-1, 3, self.moves)

    @cached_property
    def days(self) -> Floats:
        """(N,) fractional days to the expiry of each run; 0 for perpetuals."""
        return self.arrays.unit.bucket_years[self.rows.run_bucket] * DAYS_PER_YEAR

    def by_maturity(self, column: Maturity) -> Floats:
        """(N,) what every row holds in each of its expiries."""
        return self.run_columns[:, 3 * self.moves + column]

    def per_row(self, by_run: Floats) -> Floats:
        """(R, K) sums over a row's expiries of columns (N, K)."""
        return self.rows.run_sums.dot(by_run)


def contingencies(
    stress: Stress, evaluated: Evaluations, spot: float, collateral_ratio: float, parameters: BybitParameters
) -> dict[str, Floats]:
    """The five charges by their names in the report; `spot` is the coin's USD index.

    Parameters
    ----------
    collateral_ratio : the part of the coin's value that counts as collateral in its first discount tier.
    """
    coin, row = stress.arrays.unit.coin, evaluated.row
    totals = stress.totals[row]
    basis = _uncovered_basis(totals, evaluated.spot_in_use, coin, collateral_ratio, parameters)

    def charge(coins: Floats, rates: Mapping[str, float]) -> Floats:
        return coins * for_coin(rates, coin) * spot

    return {
        "short_option": charge(_short_options(stress)[row], parameters.short_option),
        "vega_spread": charge(_spread_days(stress, Maturity.VEGA)[row], parameters.vega_spread),
        "stablecoin_spread": charge(_offset_groups(totals), parameters.stablecoin_spread),
        "delta_spread": charge(_spread_days(stress, Maturity.DELTA)[row], parameters.delta_spread)
        + np.abs(evaluated.spot_in_use) * spot * basis,
        "perp_futures": charge(totals[:, Total.FUTURES], parameters.perp_futures),
    }


def _short_options(stress: Stress) -> Floats:
    """(R,) coins sold short: calls net within an expiry, puts net within an expiry, nothing beyond."""
    calls, puts = (np.maximum(-stress.by_maturity(kind), 0.0) for kind in (Maturity.CALLS, Maturity.PUTS))
    return stress.per_row((calls + puts)[:, None])[:, 0]


def _spread_days(stress: Stress, column: Maturity) -> Floats:
    """(R,) coins times days: what expiries of opposite sign offset, over the days between their centres."""
    amount, days = stress.by_maturity(column), stress.days
    long, short = np.maximum(amount, 0.0), np.maximum(-amount, 0.0)
    sums = stress.per_row(np.stack([long, short, long * days, short * days], axis=1))
    centres = sums[:, 2:] / np.where(sums[:, :2] > 0.0, sums[:, :2], 1.0)
    return np.abs(centres[:, 0] - centres[:, 1]) * np.minimum(sums[:, 0], sums[:, 1])


def _offset_groups(totals: Floats) -> Floats:
    """Coins by which the settlement groups offset each other: half of gross less net."""
    groups = [totals[:, column] for column in (Total.DELTA_USDT, Total.DELTA_USDC, Total.DELTA_USD)]
    gross = np.abs(groups[0]) + np.abs(groups[1]) + np.abs(groups[2])
    return (gross - np.abs(groups[0] + groups[1] + groups[2])) / 2.0


def _uncovered_basis(
    totals: Floats, spot_in_use: Floats, coin: str, collateral_ratio: float, parameters: BybitParameters
) -> Floats:
    """Fraction of the hedging spot charged for the basis of what it hedges, beyond threshold and discount."""
    rule = for_coin(parameters.spot_basis, coin)
    hedges_short = spot_in_use > 0.0
    weight = np.where(hedges_short, totals[:, Total.BELOW], totals[:, Total.ABOVE])
    premium = np.where(hedges_short, totals[:, Total.BELOW_PREMIUM], totals[:, Total.ABOVE_PREMIUM])
    mean = premium / np.where(weight > 0.0, weight, 1.0)
    return np.maximum(np.abs(mean) * rule.factor - rule.threshold - (1.0 - collateral_ratio), 0.0)
