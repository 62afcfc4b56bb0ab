"""Methodology `okx-classic`: split risk units, MR1 to MR8, hedging by mode. It follows its page, spec 11."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book, HedgeMode
from margin.engine.exposures import Exposures
from margin.engine.instruments import Group
from margin.engine.market import Market
from margin.engine.methodologies import okx_arrays
from margin.engine.methodologies.evaluations import Evaluations, PerExpiry, Places
from margin.engine.methodologies.okx_arrays import inverse_shift, linear_shift, option_shift
from margin.engine.methodologies.okx_factors import Stress, shared_factors, worst_volatility
from margin.engine.methodologies.okx_unit import OkxRules, okx_margin
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_hedge
from margin.engine.methodologies.terms import Terms
from margin.engine.order_sets import OKX_SETS, UnitRows, unit_rows
from margin.engine.parameters.okx import OkxParameters
from margin.engine.prepared import PreparedShard, prepared
from margin.engine.results import ShardMargin
from margin.engine.risk_arrays import RiskArrays, both_sides, facing
from margin.engine.scenarios import VOL_SHIFTS
from margin.engine.units import Partition, RiskUnit, split_units

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: Bucket columns of the block after the scenarios.
_GROSS: Final = 0
_GROSS_BASIS: Final = 1


# Sections 1 and 2: risk units, and the spot that joins them

#: The mode in which the coin's spot joins the unit of a settlement group.
SPOT_MODES: Final = {
    Group.USDT: HedgeMode.SPOT_USDT,
    Group.USDC: HedgeMode.SPOT_USDC,
    Group.USD: HedgeMode.SPOT_CRYPTO,
}


def partition(market: Market) -> Partition:
    """Risk units: one per underlying coin and settlement group."""
    return split_units(market)


def holdings(book: Book, units: Partition, number: int, arrays: RiskArrays) -> tuple[UnitRows, SpotHedge]:
    """The order sets of one unit, and the spot of those whose mode brings it there."""
    rows = unit_rows(book, units, number, arrays.delta_sign, OKX_SETS)
    taking_part = book.hedge_mode[rows.pair_account] == SPOT_MODES[_group(arrays.unit)]
    return rows, spot_hedge(book, arrays.unit.coin, rows.pair_account, taking_part)


def _group(unit: RiskUnit) -> Group:
    assert unit.group is not None
    return unit.group


# Section 3: revaluation under a price move


def coin_option_shift(terms: Terms, moves: Floats, vol: Floats) -> Floats:
    """Change of an option's price in coins, in USD at today's index; for one contract, (M, n)."""
    shocked = terms.shocked_forward(moves)
    change = terms.value(shocked, vol) / shocked - terms.value(terms.forward, terms.vol) / terms.forward
    return terms.size * change * terms.spot


def revalue(terms: Terms, moves: Floats, vol: Floats) -> Floats:
    """USD P&L of one long contract of every member at price moves (n,) and volatilities (M, n); (M, n)."""
    option = np.where(terms.inverse, coin_option_shift(terms, moves, vol), option_shift(terms, moves, vol))
    future = np.where(terms.inverse, inverse_shift(terms, moves), linear_shift(terms, moves))
    return np.where(terms.option, option, future)


def _bucket_columns(terms: Terms, sensitivities: Exposures, scenarios: Floats) -> Floats:
    """Scenario columns with the coin delta in the last; a block more for MR4: |delta|, and it times basis."""
    delta = sensitivities.delta[:, None]
    scenarios[:, -1:] = delta
    price = np.where(terms.option, terms.forward, terms.mark)
    gross = np.zeros((len(delta), scenarios.shape[1] // len(VOL_SHIFTS)))
    gross[:, _GROSS : _GROSS_BASIS + 1] = np.abs(delta)
    gross[:, _GROSS_BASIS:][:, :1] *= price - terms.pair_spot
    return np.concatenate([both_sides(scenarios), facing(gross, gross)], axis=1)


def exposure_columns(columns: Floats, moves: int) -> tuple[Floats, Floats, Floats]:
    """What MR4 reads of bucket columns (., W): coin delta, |delta|, and |delta| times basis, (.,) each."""
    block = len(VOL_SHIFTS) * (moves + 1)
    return columns[:, block - 1], columns[:, block + _GROSS], columns[:, block + _GROSS_BASIS]


def unit_arrays(market: Market, unit: RiskUnit, parameters: OkxParameters) -> RiskArrays:
    """Fan-out 1: the stress of one risk unit."""
    return okx_arrays.unit_arrays(market, unit, parameters, revalue, _bucket_columns)


# Section 4: the risk factor of this methodology's own


def per_expiry(parameters: OkxParameters, arrays: RiskArrays) -> PerExpiry:
    """Of each expiry: its worst volatility at every price move (MR3); for MR4 its coin delta where that is
    long, where it is short, and either times its |basis|.
    """
    moves, is_dated = len(arrays.price_moves), arrays.unit.dated

    def figures(columns: Floats, bucket: Places) -> Floats:
        worst = worst_volatility(columns, moves)
        delta, weight, weighted_basis = exposure_columns(columns, moves)
        dated = is_dated[bucket] & (weight > 0.0)
        basis = np.where(dated, np.abs(weighted_basis) / np.where(dated, weight, 1.0), 0.0)
        long, short = np.maximum(delta, 0.0), np.maximum(-delta, 0.0)
        sides = np.stack([long, short, long * basis, short * basis], axis=1)
        return np.concatenate([worst[:, :moves], sides], axis=1)

    return PerExpiry(moves + 4, figures)


def _share(hedged: Floats, side: Floats) -> Floats:
    """The hedged part of a side, as a fraction of it."""
    return np.where(hedged > 0.0, hedged / np.where(hedged > 0.0, side, 1.0), 0.0)


def _basis(market: Market, parameters: OkxParameters, stress: Stress, chosen: Evaluations) -> Floats:
    """MR4: what buckets hedge of each other pays a forward move, and its dated part some of its basis."""
    assert parameters.forward_move is not None and parameters.basis_move is not None
    unit = stress.arrays.unit
    group = _group(unit)
    long, short, long_basis, short_basis = chosen.of_rows(stress.by_expiry[stress.moves :])
    if parameters.mr4_include_spot:
        long = long + np.maximum(chosen.spot_in_use, 0.0)
        short = short + np.maximum(-chosen.spot_in_use, 0.0)
    hedged = np.minimum(long, short)
    # Gross less net of the buckets: both legs of what is hedged.
    forward = 2.0 * hedged * market.pair_index(unit.coin, group)
    basis = _share(hedged, long) * long_basis + _share(hedged, short) * short_basis
    forward_move: float = parameters.forward_move.of(unit.coin)
    basis_move: float = parameters.basis_move.of(unit.coin)
    charge: Floats = forward_move * forward + basis_move * basis
    return charge * market.fx_rate(group.name)


def factors(
    market: Market, parameters: OkxParameters, stress: Stress, chosen: Evaluations
) -> dict[str, Floats]:
    """MR1 to MR7 of every evaluation, (E,) each. There is no MR9; MR8 is the account's."""
    coin = stress.arrays.unit.coin
    found = shared_factors(stress, chosen, market.index[f"{coin}-USD"], parameters, coin)
    found["mr4"] = _basis(market, parameters, stress, chosen)
    return {name: found[name] for name in sorted(found)}


# Section 5: account

RULES: Final = OkxRules(holdings, per_expiry, factors)


def prepare(
    book: Book, market: Market, parameters: OkxParameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> PreparedShard:
    """A shard made ready, with the arrays of every unit it holds, by unit number."""
    return prepared(book, market, units, arrays, holdings)


def margin(
    shard: PreparedShard, market: Market, parameters: OkxParameters, arrays: Mapping[int, RiskArrays]
) -> ShardMargin:
    """Fan-out 2: the margin of a prepared shard; arguments and errors as `okx_2025.margin`."""
    return okx_margin(shard, market, parameters, arrays, RULES)
