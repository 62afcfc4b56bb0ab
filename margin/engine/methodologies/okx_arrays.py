"""Risk arrays of the OKX methodologies: the columns, and what both fill alike (spec 10, sections 3 and 4)."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.exposures import Exposures, exposures
from margin.engine.instruments import Group
from margin.engine.market import Market
from margin.engine.methodologies.terms import Sensitivity, Terms
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays, both_sides, facing
from margin.engine.scenarios import FORWARD_FLOOR, symmetric_moves
from margin.engine.units import RiskUnit

Floats = npt.NDArray[np.float64]


class Total(IntEnum):
    """Columns of `RiskArrays.sums`; the rate curves of MR5 follow from `CURVES` on."""

    DELTA = Sensitivity.DELTA
    CASH_DELTA = Sensitivity.CASH_DELTA
    GAMMA = Sensitivity.GAMMA
    VEGA = Sensitivity.VEGA
    THETA = Sensitivity.THETA
    CASH_USDT = 5
    CASH_USDC = 6
    CASH_USD = 7
    MINIMUM_CHARGE = 8
    CURVES = 9


#: Members repriced at a time: what is written on the way is small enough to be used again, not mapped anew.
_ROWS: Final = 1024

#: Long P&L of one contract at n price moves and volatilities (M, n); shape (M, n), USD.
Revaluation = Callable[[Terms, Floats, Floats], Floats]


def by_kind(options: Floats, terms: Terms, futures: Callable[[Terms], Floats]) -> Floats:
    """P&L of every member (M, n), where `options` hold for options only; `futures` gives the others'."""
    others = np.flatnonzero(~terms.option)
    if len(others):
        options[others] = futures(terms.at(others))
    return options


def option_shift(terms: Terms, moves: Floats, vol: Floats) -> Floats:
    """Full revaluation of an option in USD, from its model value at mark IV; for one contract, (M, n).

    Meaningless where there is no option.
    """
    change = terms.model(terms.shocked_forward(moves), vol)
    change -= terms.model(terms.forward, terms.vol)
    change *= terms.size
    change *= terms.fx
    return change


def linear_shift(terms: Terms, moves: Floats) -> Floats:
    """An absolute move of the pair index; the basis is kept. For one contract, (M, n)."""
    return terms.size * terms.pair_spot * moves * terms.fx


def inverse_shift(terms: Terms, moves: Floats) -> Floats:
    """USD worth, at today's index, of the coins that an inverse contract gains as its mark moves; (M, n)."""
    shocked = np.maximum(terms.mark + terms.spot * moves, FORWARD_FLOOR * terms.spot)
    return terms.size * (1.0 / terms.mark - 1.0 / shocked) * terms.spot


def scenario_columns(terms: Terms, parameters: OkxParameters, revalue: Revaluation, moves: Floats) -> Floats:
    """(M, 3(n + 1)) long P&L: for down, same and up the n price moves, each followed by one more column.

    The columns that follow are MR6's two extreme moves, after down and same, and after up one that the
    methodology fills with the exposure of its MR4.
    """
    extreme: float = parameters.extreme_move.of(terms.unit.coin)
    shifted = parameters.vol_shift.columns(terms.vol[:, 0], terms.market.days[terms.unit.members])
    width = len(moves) + 1
    vol = np.repeat(shifted, width, axis=1)
    # The extreme moves leave volatility as it is.
    vol[:, width - 1 : 2 * width : width] = terms.vol
    columns = np.concatenate((moves, [-extreme], moves, [extreme], moves, [0.0]))
    pnl = np.empty_like(vol)
    for start in range(0, len(vol), _ROWS):
        rows = slice(start, start + _ROWS)
        pnl[rows] = revalue(terms.at(rows), columns, vol[rows])
    return pnl


def total_columns(terms: Terms, parameters: OkxParameters, sensitivities: Exposures) -> Floats:
    """(2M, CURVES + K) columns of `Total` on both sides."""
    members, market = terms.unit.members, terms.market
    group = market.instruments.group[members]
    cash = sensitivities.cash_delta
    signed = np.stack(
        [
            *terms.sensitivities(sensitivities, parameters.decay_hours),
            *(np.where(group == g, cash, 0.0) for g in Group),
            np.zeros(len(members)),
        ],
        axis=1,
    )
    sides = both_sides(np.concatenate([signed, _rate_shifts(terms, parameters)], axis=1))
    long, short = _minimum_charge(terms, parameters, np.abs(cash))
    sides[:, Total.MINIMUM_CHARGE] = facing(long, short)[:, 0]
    return sides


def _rate_shifts(terms: Terms, parameters: OkxParameters) -> Floats:
    """MR5: P&L of one contract under each rate curve; (M, K)."""
    members = terms.unit.members
    shift = parameters.rate_curves.shifts(terms.market.days[members])
    growth = np.expm1(-shift * terms.market.years[members][:, None])
    return terms.size * terms.value(terms.forward, terms.vol) * terms.fx * growth


def _minimum_charge(terms: Terms, parameters: OkxParameters, gross_cash: Floats) -> tuple[Floats, Floats]:
    """MR7 raw charge of one contract held long and held short; (M, 1) each."""
    charge, coin = parameters.option_charge, terms.unit.coin
    table, members = terms.market.instruments, terms.unit.members
    mark = table.mark[members][:, None]
    quoted = mark * np.where(terms.inverse, terms.spot, 1.0)
    fee = np.minimum(charge.taker_fee * terms.pair_spot, charge.fee_cap * quoted)
    cost = charge.slippage * terms.pair_spot + fee
    scale = terms.size * terms.fx
    futures = parameters.futures_rate.of(coin) * gross_cash[:, None]
    short = np.where(terms.option, cost * scale, futures)
    long = np.where(terms.option, np.minimum(cost, quoted) * scale, futures)
    return long, short


def unit_arrays(
    market: Market,
    unit: RiskUnit,
    parameters: OkxParameters,
    revalue: Revaluation,
    bucket_columns: Callable[[Terms, Exposures, Floats], Floats],
) -> RiskArrays:
    """Risk arrays of one unit; `bucket_columns` completes the scenario columns, on both sides."""
    terms = Terms.of(market, unit)
    sensitivities = exposures(market, unit.members)
    moves = symmetric_moves(parameters.price_moves.of(unit.coin))
    scenarios = scenario_columns(terms, parameters, revalue, moves)
    return RiskArrays(
        unit=unit,
        price_moves=moves,
        buckets=bucket_columns(terms, sensitivities, scenarios),
        sums=total_columns(terms, parameters, sensitivities),
        delta_sign=np.sign(sensitivities.delta),
    )
