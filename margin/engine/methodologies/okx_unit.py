"""OKX risk units over a shard: order sets evaluated, the binding one reported (spec 10, sections 5 to 7)."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from margin.engine.account import ratio_margin
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, binding_evaluations, binding_figures
from margin.engine.methodologies.okx_factors import Stress, requirement
from margin.engine.methodologies.spot_hedge import SpotHedge
from margin.engine.order_sets import UnitRows
from margin.engine.parameters.okx import OkxParameters
from margin.engine.results import ShardMargin, UnitFigures
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]

#: The order sets of the unit of that number, and the spot that may hedge them.
Holdings = Callable[[Book, Partition, int, RiskArrays], tuple[UnitRows, SpotHedge]]

#: The factors of every evaluation, (E,) each, by name.
Factors = Callable[[Stress, Evaluations], dict[str, Floats]]


def unit_figures(
    book: Book,
    market: Market,
    parameters: OkxParameters,
    arrays: RiskArrays,
    rows: UnitRows,
    spot: SpotHedge,
    factors: Factors,
) -> UnitFigures:
    """Margin of one unit for every account that has a position or order in it."""
    stress = Stress.of(arrays, rows)
    evaluated = Evaluations.of(stress, spot)
    components = factors(stress, evaluated)
    mmr = requirement(components)
    numbers = binding_evaluations(evaluated, mmr, len(rows.pair_account))
    binding = evaluated.chosen(numbers)
    spot_price = market.index[f"{arrays.unit.coin}-USD"]
    spot_pnl = (binding.spot_in_use * spot_price)[:, None, None] * arrays.price_moves[None, :, None]
    return binding_figures(
        book,
        market,
        stress,
        binding,
        mmr=mmr[numbers],
        imr=parameters.imr_factor * mmr[numbers],
        components={name: values[numbers] for name, values in components.items()},
        pnl=stress.grid(stress.columns[binding.row]).transpose(0, 2, 1) + spot_pnl,
    )


def okx_margin(
    book: Book,
    market: Market,
    parameters: OkxParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
    holdings: Holdings,
    factors: Factors,
) -> ShardMargin:
    """The margin of a shard by a methodology's own `holdings` and `factors`; NonFiniteError as `margin`."""
    figures = []
    for number in units.held_by(book):
        rows, spot = holdings(book, units, number, arrays[number])
        figures.append(unit_figures(book, market, parameters, arrays[number], rows, spot, factors))
    return ratio_margin(book, market, parameters, figures)
