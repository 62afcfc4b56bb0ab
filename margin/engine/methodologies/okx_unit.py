"""OKX risk units over a shard: order sets evaluated, the binding one reported (spec 10, sections 5 to 7)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine.account import ratio_margin
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, PerExpiry, Scratch, binding_evaluations
from margin.engine.methodologies.okx_factors import Stress, requirement
from margin.engine.methodologies.unit_figures import UnitColumns
from margin.engine.parameters.okx import OkxParameters
from margin.engine.prepared import Holdings, PreparedShard, PreparedUnit
from margin.engine.results import ShardMargin, UnitFigures
from margin.engine.risk_arrays import RiskArrays

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OkxRules:
    """What an OKX methodology has of its own.

    Attributes
    ----------
    holdings : the order sets of a unit, and the spot that may hedge them.
    per_expiry : what its factors must know of each expiry by itself.
    factors : the factors of every evaluation, (E,) each, by name.
    """

    holdings: Holdings
    per_expiry: Callable[[OkxParameters, RiskArrays], PerExpiry]
    factors: Callable[[Market, OkxParameters, Stress, Evaluations], dict[str, Floats]]


def unit_figures(
    unit: PreparedUnit,
    market: Market,
    parameters: OkxParameters,
    arrays: RiskArrays,
    rules: OkxRules,
    lot_upl_usd: Floats,
    scratch: Scratch,
) -> UnitFigures:
    """Margin of one unit for every account that has a position or order in it."""
    per_expiry = rules.per_expiry(parameters, arrays)
    spot_price = market.index[f"{arrays.unit.coin}-USD"]
    columns = UnitColumns(unit, arrays)
    for block in unit.blocks:
        stress = Stress.of(arrays, block.rows, per_expiry, scratch)
        evaluated = Evaluations.of(stress, block.variants)
        components = rules.factors(market, parameters, stress, evaluated)
        mmr = requirement(components)
        columns.put(
            block,
            stress,
            evaluated,
            binding_evaluations(block.variants, mmr),
            mmr=mmr,
            components=components,
            grid=stress.scenarios,
            spot_pnl=evaluated.spot_in_use * spot_price * arrays.price_moves[:, None],
        )
    return columns.figures(parameters.imr_factor, lot_upl_usd)


def okx_margin(
    shard: PreparedShard,
    market: Market,
    parameters: OkxParameters,
    arrays: Mapping[int, RiskArrays],
    rules: OkxRules,
) -> ShardMargin:
    """The margin of a prepared shard by a methodology's own rules; NonFiniteError as `margin`."""
    scratch, unrealised = Scratch(), shard.layout.lots.unrealised(market)
    figures = [
        unit_figures(unit, market, parameters, arrays[unit.number], rules, unrealised.usd, scratch)
        for unit in shard.units
    ]
    return ratio_margin(shard.layout, market, parameters, figures, unrealised.settled)
