"""One OKX risk unit over a shard: order sets evaluated, the binding one reported (spec 10, 5 and 6)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from margin.engine.account import unit_upl
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.okx_arrays import Total
from margin.engine.methodologies.okx_factors import (
    Evaluations,
    Stress,
    binding_evaluations,
    binding_name,
    requirement,
)
from margin.engine.methodologies.spot_hedge import SpotHedge
from margin.engine.order_sets import UnitRows
from margin.engine.parameters.okx import OkxParameters
from margin.engine.results import UnitFigures
from margin.engine.risk_arrays import RiskArrays

Floats = npt.NDArray[np.float64]

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
    chosen = Evaluations.of(stress, spot)
    components = factors(stress, chosen)
    mmr = requirement(components)
    binding = binding_evaluations(chosen, mmr, len(rows.pair_account))
    row, in_use = chosen.row[binding], chosen.spot_in_use[binding]
    totals = stress.totals[row]
    spot_price = market.index[f"{arrays.unit.coin}-USD"]
    spot_pnl = (in_use * spot_price)[:, None, None] * arrays.price_moves[None, :, None]
    members = np.zeros(len(market.instruments), dtype=np.bool_)
    members[arrays.unit.members] = True
    return UnitFigures(
        unit=arrays.unit.name,
        account=rows.pair_account,
        binding=tuple(
            binding_name(order_set, with_orders)
            for order_set, with_orders in zip(
                rows.row_set[row], chosen.with_spot_orders[binding], strict=True
            )
        ),
        mmr=mmr[binding],
        imr=parameters.imr_factor * mmr[binding],
        spot_in_use=in_use,
        delta=totals[:, Total.DELTA],
        cash_delta=totals[:, Total.CASH_DELTA],
        gamma=totals[:, Total.GAMMA],
        theta=totals[:, Total.THETA],
        vega=totals[:, Total.VEGA],
        upl=unit_upl(book, market, rows.pair_account, members),
        components={name: values[binding] for name, values in components.items()},
        price_moves=arrays.price_moves,
        pnl=stress.grid(stress.columns[row]).transpose(0, 2, 1) + spot_pnl,
    )
