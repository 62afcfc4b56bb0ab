"""Methodology `okx-2025`: merged risk units, MR1 to MR9. It reads like its page, spec 10."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.exposures import Exposures
from margin.engine.instruments import Group
from margin.engine.market import Market
from margin.engine.methodologies import okx_arrays
from margin.engine.methodologies.evaluations import Evaluations, PerExpiry, Places
from margin.engine.methodologies.okx_arrays import Total, by_kind, inverse_shift, linear_shift, option_shift
from margin.engine.methodologies.okx_factors import Stress, shared_factors, worst_volatility
from margin.engine.methodologies.okx_unit import OkxRules, okx_margin
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_hedge
from margin.engine.methodologies.terms import Terms
from margin.engine.order_sets import OKX_SETS, UnitRows, unit_rows
from margin.engine.parameters.okx import DepegRates, OkxParameters
from margin.engine.prepared import PreparedShard, prepared
from margin.engine.results import ShardMargin
from margin.engine.risk_arrays import RiskArrays, both_sides
from margin.engine.tiers import MarginalTiers
from margin.engine.units import Partition, RiskUnit, merged_units

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: MR9 offsets the settlement groups pair by pair, in this order.
DEPEG_PAIRS: Final = ((Group.USDT, Group.USD), (Group.USDT, Group.USDC), (Group.USDC, Group.USD))


def partition(market: Market) -> Partition:
    """Risk units: one per underlying coin."""
    return merged_units(market)


# Section 3: revaluation under a price move


def revalue(terms: Terms, moves: Floats, vol: Floats) -> Floats:
    """USD P&L of one long contract of every member at price moves (n,) and volatilities (M, n); (M, n)."""

    def futures(terms: Terms) -> Floats:
        # An inverse contract pays in coins, which are worth the shocked index (our choice of valuation).
        inverse = inverse_shift(terms, moves) * (1.0 + moves)
        return np.where(terms.inverse, inverse, linear_shift(terms, moves))

    return by_kind(option_shift(terms, moves, vol), terms, futures)


def _bucket_columns(terms: Terms, sensitivities: Exposures, scenarios: Floats) -> Floats:
    """Scenario columns with the cash delta in the last, on both sides."""
    scenarios[:, -1] = sensitivities.cash_delta
    return both_sides(scenarios)


def unit_arrays(market: Market, unit: RiskUnit, parameters: OkxParameters) -> RiskArrays:
    """Fan-out 1: the stress of one risk unit."""
    return okx_arrays.unit_arrays(market, unit, parameters, revalue, _bucket_columns)


# Section 4: the risk factors of this methodology's own


def per_expiry(parameters: OkxParameters, arrays: RiskArrays) -> PerExpiry:
    """Of each expiry: its worst volatility at every price move (MR3), and MR4 on its net cash delta."""
    assert parameters.mr4_flat is not None and parameters.mr4_annualized is not None
    unit, moves = arrays.unit, len(arrays.price_moves)
    flat: float = parameters.mr4_flat.of(unit.coin)
    annualized: float = parameters.mr4_annualized.of(unit.coin)
    rate = flat + annualized * unit.bucket_years

    def figures(columns: Floats, bucket: Places) -> Floats:
        worst = worst_volatility(columns, moves)
        np.multiply(np.abs(columns[:, -1]), rate[bucket], out=worst[:, moves])
        return worst

    return PerExpiry(moves + 1, figures)


def _basis(stress: Stress, chosen: Evaluations, spot_cash: Floats, parameters: OkxParameters) -> Floats:
    """MR4: each expiry's net cash delta at a flat and an annualised rate; the spot in use at the flat one."""
    assert parameters.mr4_flat is not None
    flat: float = parameters.mr4_flat.of(stress.arrays.unit.coin)
    return chosen.of_rows(stress.by_expiry[stress.moves]) + np.abs(spot_cash) * flat


@dataclass(frozen=True, eq=False)
class DepegPair:
    """Two settlement groups: the USD cash delta by which they offset, and what MR9 charges for it; (E,)."""

    first: Group
    second: Group
    hedged: Floats
    charge: Floats


def depeg_pairs(cash: Floats, fx: Mapping[Group, float], rates: DepegRates) -> Iterator[DepegPair]:
    """MR9 by pair: opposite cash deltas of the settlement groups, offset pair by pair.

    Parameters
    ----------
    cash : (3, E) net USD cash delta of the groups USDT, USDC, USD.
    fx : USD per unit of each group's currency.
    """
    left = cash.copy()
    for first, second in DEPEG_PAIRS:
        a, b = left[first], left[second]
        hedged = np.maximum(np.maximum(np.minimum(a, -b), np.minimum(-a, b)), 0.0)
        moved = np.copysign(hedged, a)
        left[first], left[second] = a - moved, b + moved
        price = fx[first] / fx[second]
        yield DepegPair(first, second, hedged, _rates_at(rates, min(price, 1.0 / price)).apply(hedged))


@lru_cache(maxsize=64)
def _rates_at(rates: DepegRates, price: float) -> MarginalTiers:
    """The tiers at a pair price, which every unit and block of accounts asks for again."""
    return rates.at(price)


def depeg_charge(cash: Floats, fx: Mapping[Group, float], rates: DepegRates) -> Floats:
    """MR9, (E,): the charges of all pairs; arguments as `depeg_pairs`."""
    charge = np.zeros(cash.shape[1])
    for pair in depeg_pairs(cash, fx, rates):
        charge += pair.charge
    return charge


def _depeg(
    stress: Stress, chosen: Evaluations, spot_cash: Floats, market: Market, parameters: OkxParameters
) -> Floats:
    """MR9 of every evaluation; spot in use belongs to USD where the parameters say so."""
    assert parameters.depeg is not None
    cash = chosen.of_rows(stress.totals[Total.CASH_USDT : Total.CASH_USD + 1])
    if parameters.depeg.include_spot:
        cash = cash.copy()
        cash[Group.USD] += spot_cash
    return depeg_charge(cash, {group: market.fx_rate(group.name) for group in Group}, parameters.depeg)


def factors(
    market: Market, parameters: OkxParameters, stress: Stress, chosen: Evaluations
) -> dict[str, Floats]:
    """MR1 to MR7 and MR9 of every evaluation, (E,) each."""
    coin = stress.arrays.unit.coin
    spot_price = market.index[f"{coin}-USD"]
    spot_cash = chosen.spot_in_use * spot_price
    found = shared_factors(stress, chosen, spot_price, parameters, coin)
    found["mr4"] = _basis(stress, chosen, spot_cash, parameters)
    found["mr9"] = _depeg(stress, chosen, spot_cash, market, parameters)
    return {name: found[name] for name in sorted(found)}


# Sections 5 to 7: unit and account


def holdings(book: Book, units: Partition, number: int, arrays: RiskArrays) -> tuple[UnitRows, SpotHedge]:
    """The order sets of one unit, and the spot that may hedge them: everyone's."""
    rows = unit_rows(book, units, number, arrays.delta_sign, OKX_SETS)
    everyone = np.ones(len(rows.pair_account), dtype=np.bool_)
    return rows, spot_hedge(book, arrays.unit.coin, rows.pair_account, everyone)


RULES: Final = OkxRules(holdings, per_expiry, factors)


def prepare(
    book: Book, market: Market, parameters: OkxParameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> PreparedShard:
    """A shard made ready, with the arrays of every unit it holds, by unit number."""
    return prepared(book, market, units, arrays, holdings)


def margin(
    shard: PreparedShard, market: Market, parameters: OkxParameters, arrays: Mapping[int, RiskArrays]
) -> ShardMargin:
    """Fan-out 2: the margin of a prepared shard.

    Parameters
    ----------
    arrays : risk arrays by unit number, of every unit in which the shard holds something.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    return okx_margin(shard, market, parameters, arrays, RULES)
