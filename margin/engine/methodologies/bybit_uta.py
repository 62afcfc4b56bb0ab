"""Methodology `bybit-uta`: maximum loss plus contingencies. It reads like its page, spec 20."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from margin.engine.account import currency_figures
from margin.engine.book import Book, HedgeMode
from margin.engine.market import Market
from margin.engine.methodologies import bybit_arrays
from margin.engine.methodologies.bybit_account import account_figures, collateral_ratio, with_withdrawable
from margin.engine.methodologies.bybit_contingencies import Stress, contingencies
from margin.engine.methodologies.evaluations import (
    Evaluations,
    binding_evaluations,
    binding_figures,
    worst_loss,
)
from margin.engine.methodologies.spot_hedge import SpotHedge, spot_hedge
from margin.engine.order_sets import BYBIT_SETS, UnitRows, unit_rows
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin
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


def scenario_pnl(stress: Stress, evaluated: Evaluations, spot_price: float) -> Floats:
    """(E, 3, n) USD P&L in every cell; hedging spot is added where it gains, and only there."""
    gain = np.maximum((evaluated.spot_in_use * spot_price)[:, None] * stress.arrays.price_moves, 0.0)
    return stress.grid[evaluated.row] + gain[:, None, :]


# Sections 3 and 4: contingencies, order sets


def _components(
    stress: Stress, evaluated: Evaluations, pnl: Floats, spot_price: float, parameters: BybitParameters
) -> dict[str, Floats]:
    """Maximum loss, each contingency, and the sum of the contingencies; USD, (E,)."""
    ratio = collateral_ratio(parameters.discount, stress.arrays.unit.coin)
    charges = contingencies(stress, evaluated, spot_price, ratio, parameters)
    total = np.zeros(len(evaluated.row))
    for charge in charges.values():
        total = total + charge
    return {"max_loss": worst_loss(pnl.reshape(len(pnl), -1)), **charges, "contingency": total}


def evaluate(
    book: Book, market: Market, parameters: BybitParameters, units: Partition, number: int, arrays: RiskArrays
) -> tuple[Stress, Evaluations, Floats, dict[str, Floats]]:
    """One unit's order sets, evaluated: with their P&L (E, 3, n) and components (E,), USD."""
    coin = arrays.unit.coin
    rows = unit_rows(book, units, number, arrays.delta_sign, BYBIT_SETS)
    stress = Stress.of(arrays, rows)
    evaluated = Evaluations.of(stress, hedging_spot(book, parameters, coin, rows))
    spot_price = market.index[f"{coin}-USD"]
    pnl = scenario_pnl(stress, evaluated, spot_price)
    return stress, evaluated, pnl, _components(stress, evaluated, pnl, spot_price, parameters)


def _unit(
    book: Book, market: Market, parameters: BybitParameters, units: Partition, number: int, arrays: RiskArrays
) -> UnitFigures:
    stress, evaluated, pnl, components = evaluate(book, market, parameters, units, number, arrays)
    mmr = components["max_loss"] + components["contingency"]
    binding = binding_evaluations(evaluated, mmr, len(stress.rows.pair_account))
    return binding_figures(
        book,
        market,
        stress,
        evaluated.chosen(binding),
        mmr=mmr[binding],
        imr=for_coin(parameters.im_factor, arrays.unit.coin) * mmr[binding],
        components={name: values[binding] for name, values in components.items()},
        pnl=pnl[binding].transpose(0, 2, 1),
    )


# Section 5: account


def margin(
    book: Book,
    market: Market,
    parameters: BybitParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
) -> ShardMargin:
    """Fan-out 2: the margin of a shard.

    Parameters
    ----------
    arrays : risk arrays by unit number, of every unit in which the shard holds something.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    figures = tuple(
        _unit(book, market, parameters, units, number, arrays[number]) for number in units.held_by(book)
    )
    currencies = currency_figures(book, market, parameters.discount, parameters.borrow)
    accounts = account_figures(book, market, parameters, currencies, figures)
    currencies = with_withdrawable(book, market, parameters, currencies, figures, accounts)
    shard = ShardMargin(book.ids, accounts, currencies, figures)
    shard.require_finite()
    return shard
