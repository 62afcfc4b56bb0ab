"""Methodology `bybit-uta`: maximum loss plus contingencies. It reads like its page, spec 20."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book, HedgeMode
from margin.engine.market import Market
from margin.engine.methodologies import bybit_arrays
from margin.engine.methodologies.bybit_account import account_margin, collateral_ratio
from margin.engine.methodologies.bybit_contingencies import Stress, contingencies, per_expiry
from margin.engine.methodologies.evaluations import Evaluations, Scratch, binding_evaluations, worst_loss
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_hedge
from margin.engine.methodologies.unit_figures import UnitColumns
from margin.engine.order_sets import BYBIT_SETS, UnitRows, unit_rows
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin
from margin.engine.prepared import PreparedShard, PreparedUnit, prepared
from margin.engine.results import ShardMargin, UnitFigures
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition, RiskUnit, merged_units

Floats = npt.NDArray[np.float64]


def partition(market: Market) -> Partition:
    """Risk units: one per underlying coin."""
    return merged_units(market)


def unit_arrays(market: Market, unit: RiskUnit, parameters: BybitParameters) -> RiskArrays:
    """Fan-out 1: the stress of one risk unit."""
    return bybit_arrays.unit_arrays(market, unit, parameters)


# Section 2: maximum loss


def hedging_spot(book: Book, parameters: BybitParameters, coin: str, rows: UnitRows) -> SpotHedge:
    """Spot of listed coins whose holder hedges with it; open spot orders do not change it."""
    hedges = (book.hedge_mode == HedgeMode.SPOT_HEDGE) & (coin in parameters.spot_hedge_coins)
    spot = spot_hedge(book, coin, rows.pair_account, hedges[rows.pair_account])
    return replace(spot, ordered=np.zeros_like(spot.ordered))


def spot_gain(stress: Stress, evaluated: Evaluations, spot_price: float) -> Floats:
    """(n, E) USD that hedging spot adds at each price move: it counts where it gains, and only there."""
    in_use, moves = evaluated.spot_in_use, stress.arrays.price_moves
    if not evaluated.variants.any_spot:
        return np.broadcast_to(0.0, (len(moves), len(in_use)))
    return np.maximum(in_use * spot_price * moves[:, None], 0.0)


def maximum_loss(stress: Stress, evaluated: Evaluations, gain: Floats) -> Floats:
    """The worst of all cells, never below 0; (E,)."""
    # The gain is the same at every volatility, so the worst volatility of a move is that of the rows.
    return worst_loss(evaluated.with_spot(stress.grid.min(axis=0), gain))


# Sections 3 and 4: contingencies, order sets


def holdings(
    parameters: BybitParameters, book: Book, units: Partition, number: int, arrays: RiskArrays
) -> tuple[UnitRows, SpotHedge]:
    """The order sets of one unit, and the spot that may hedge them."""
    rows = unit_rows(book, units, number, arrays.delta_sign, BYBIT_SETS)
    return rows, hedging_spot(book, parameters, arrays.unit.coin, rows)


def components(
    market: Market, parameters: BybitParameters, stress: Stress, evaluated: Evaluations, gain: Floats
) -> dict[str, Floats]:
    """Maximum loss, each contingency, and the sum of the contingencies; USD, (E,)."""
    coin = stress.arrays.unit.coin
    ratio = collateral_ratio(parameters.discount, coin)
    charges = contingencies(stress, evaluated, market.index[f"{coin}-USD"], ratio, parameters)
    total = np.zeros(len(evaluated.spot_in_use))
    for charge in charges.values():
        total = total + charge
    return {"max_loss": maximum_loss(stress, evaluated, gain), **charges, "contingency": total}


def _unit(
    unit: PreparedUnit,
    market: Market,
    parameters: BybitParameters,
    arrays: RiskArrays,
    lot_upl_usd: Floats,
    scratch: Scratch,
) -> UnitFigures:
    spot_price = market.index[f"{arrays.unit.coin}-USD"]
    columns = UnitColumns(unit, arrays)
    for block in unit.blocks:
        stress = Stress.of(arrays, block.rows, per_expiry(arrays), scratch)
        evaluated = Evaluations.of(stress, block.variants)
        gain = spot_gain(stress, evaluated, spot_price)
        found = components(market, parameters, stress, evaluated, gain)
        mmr = found["max_loss"] + found["contingency"]
        binding = binding_evaluations(block.variants, mmr)
        columns.put(
            block, stress, evaluated, binding, mmr=mmr, components=found, grid=stress.grid, spot_pnl=gain
        )
    return columns.figures(for_coin(parameters.im_factor, arrays.unit.coin), lot_upl_usd)


# Section 5: account


def prepare(
    book: Book,
    market: Market,
    parameters: BybitParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
) -> PreparedShard:
    """A shard made ready, with the arrays of every unit it holds, by unit number."""
    return prepared(book, market, units, arrays, partial(holdings, parameters))


def margin(
    shard: PreparedShard, market: Market, parameters: BybitParameters, arrays: Mapping[int, RiskArrays]
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
    scratch, unrealised = Scratch(), shard.layout.lots.unrealised(market)
    units = [
        _unit(unit, market, parameters, arrays[unit.number], unrealised.usd, scratch) for unit in shard.units
    ]
    return account_margin(shard.layout, market, parameters, units, unrealised.settled)
