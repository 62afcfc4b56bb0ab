"""The five contingencies of `bybit-uta`: charges for risks that no scenario shows (spec 20, section 3).

All are USD per evaluation, (E,); E evaluations, R rows, N runs of a row in one expiry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from margin.engine.instruments import DAYS_PER_YEAR
from margin.engine.methodologies.bybit_arrays import Maturity, Total
from margin.engine.methodologies.evaluations import Evaluations, PerExpiry, Places, Products
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin
from margin.engine.risk_arrays import RiskArrays

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class Expiry(IntEnum):
    """What is known of each expiry by itself, and added up: coins, and coins times days to expiry.

    Those of a spread are what stands long, what stands short, and either times days; what stands short is
    negative.
    """

    SHORT_OPTIONS = 0
    VEGA = 1
    DELTA = 5


@dataclass(frozen=True, eq=False)
class Stress(Products):
    """The sparse products of one unit: three blocks of n price moves, then the columns of `Maturity`.

    The figures of each expiry are those of `Expiry`.
    """

    @cached_property
    def grid(self) -> Floats:
        """(3, n, R) scenario P&L, volatility down, same and up."""
        return self.columns[: 3 * self.moves].reshape(3, self.moves, -1)

    def by_maturity(self, column: Maturity) -> Floats:
        """(N,) what every row holds in each of its expiries."""
        return self.run_columns[:, 3 * self.moves + column]


def per_expiry(arrays: RiskArrays) -> PerExpiry:
    """The figures of `Expiry` of each expiry."""
    days_of = arrays.unit.bucket_years * DAYS_PER_YEAR
    held_from, count = 3 * len(arrays.price_moves), Expiry.DELTA + 4

    def figures(columns: Floats, bucket: Places) -> Floats:
        held = np.ascontiguousarray(columns[:, held_from:].T)
        found = np.empty((count, len(bucket)))
        short = np.minimum(held[Maturity.CALLS : Maturity.PUTS + 1], 0.0)
        np.add(short[0], short[1], out=found[Expiry.SHORT_OPTIONS])
        # Of vega and delta at once: what stands long, what stands short, and either times days.
        spread = held[Maturity.VEGA :: Maturity.DELTA - Maturity.VEGA]
        sides = found[Expiry.VEGA :].reshape(2, 4, -1)
        np.maximum(spread, 0.0, out=sides[:, 0])
        np.minimum(spread, 0.0, out=sides[:, 1])
        np.multiply(sides[:, :2], days_of[bucket], out=sides[:, 2:])
        return np.ascontiguousarray(found.T)

    return PerExpiry(count, figures)


def contingencies(
    stress: Stress, evaluated: Evaluations, spot: float, collateral_ratio: float, parameters: BybitParameters
) -> dict[str, Floats]:
    """The five charges by their names in the report; `spot` is the coin's USD index.

    Parameters
    ----------
    collateral_ratio : the part of the coin's value that counts as collateral in its first discount tier.
    """
    coin = stress.arrays.unit.coin
    totals, expiries = evaluated.of_rows(stress.totals), evaluated.of_rows(stress.by_expiry)

    def charge(coins: Floats, rates: Mapping[str, float]) -> Floats:
        return coins * for_coin(rates, coin) * spot

    delta_spread = charge(_spread_days(expiries[Expiry.DELTA :]), parameters.delta_spread)
    if evaluated.variants.any_spot:
        basis = _uncovered_basis(totals, evaluated.spot_in_use, coin, collateral_ratio, parameters)
        delta_spread += np.abs(evaluated.spot_in_use) * spot * basis
    return {
        "short_option": charge(_gross(expiries[Expiry.SHORT_OPTIONS]), parameters.short_option),
        "vega_spread": charge(_spread_days(expiries[Expiry.VEGA :]), parameters.vega_spread),
        "stablecoin_spread": charge(_offset_groups(totals), parameters.stablecoin_spread),
        "delta_spread": delta_spread,
        "perp_futures": charge(totals[Total.FUTURES], parameters.perp_futures),
    }


def _spread_days(sides: Floats) -> Floats:
    """Coins times days: what expiries of opposite sign offset, over the days between their centres."""
    coins, weighted = sides[:2], sides[2:4]
    centres = weighted / np.where(coins != 0.0, coins, 1.0)
    return np.asarray(np.abs(centres[0] - centres[1]) * np.minimum(coins[0], _gross(coins[1])))


def _gross(short: Floats) -> Floats:
    """What stands short, as a positive number; 0 without a sign."""
    return 0.0 - short


def _offset_groups(totals: Floats) -> Floats:
    """Coins by which the settlement groups offset each other: half of gross less net."""
    groups = [totals[column] for column in (Total.DELTA_USDT, Total.DELTA_USDC, Total.DELTA_USD)]
    gross = np.abs(groups[0]) + np.abs(groups[1]) + np.abs(groups[2])
    return np.asarray((gross - np.abs(groups[0] + groups[1] + groups[2])) / 2.0)


def _uncovered_basis(
    totals: Floats, spot_in_use: Floats, coin: str, collateral_ratio: float, parameters: BybitParameters
) -> Floats:
    """Fraction of the hedging spot charged for the basis of what it hedges, beyond threshold and discount."""
    rule = for_coin(parameters.spot_basis, coin)
    hedges_short = spot_in_use > 0.0
    weight = np.where(hedges_short, totals[Total.BELOW], totals[Total.ABOVE])
    premium = np.where(hedges_short, totals[Total.BELOW_PREMIUM], totals[Total.ABOVE_PREMIUM])
    mean: Floats = premium / np.where(weight > 0.0, weight, 1.0)
    return np.maximum(np.abs(mean) * rule.factor - rule.threshold - (1.0 - collateral_ratio), 0.0)
