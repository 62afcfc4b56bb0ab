"""Risk arrays of `bybit-uta`: 33 scenario cells, and the columns from which contingencies are charged."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from margin.engine.exposures import Exposures, exposures
from margin.engine.instruments import SECONDS_PER_DAY, Group
from margin.engine.market import Market
from margin.engine.methodologies.terms import HOURS_PER_DAY, Sensitivity, Terms
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin
from margin.engine.risk_arrays import RiskArrays, both_sides, facing
from margin.engine.scenarios import VOL_SHIFTS, symmetric_moves
from margin.engine.units import RiskUnit

Floats = npt.NDArray[np.float64]


class Maturity(IntEnum):
    """Bucket columns after the scenarios: coins held in one expiry, by what is charged for them."""

    DELTA = 0
    VEGA = 1
    CALLS = 2
    PUTS = 3


class Total(IntEnum):
    """Columns of `RiskArrays.sums` after those of `Sensitivity`, in coins.

    `ABOVE` and `BELOW` are the positive and the negative deltas, gross; their premiums are the same deltas
    times how far, as a fraction of the index, the contract's price stands above it.
    """

    DELTA_USDT = len(Sensitivity)
    DELTA_USDC = DELTA_USDT + 1
    DELTA_USD = DELTA_USDT + 2
    FUTURES = DELTA_USDT + 3
    ABOVE = DELTA_USDT + 4
    ABOVE_PREMIUM = DELTA_USDT + 5
    BELOW = DELTA_USDT + 6
    BELOW_PREMIUM = DELTA_USDT + 7


def unit_arrays(market: Market, unit: RiskUnit, parameters: BybitParameters) -> RiskArrays:
    """Fan-out 1: the stress of one risk unit."""
    terms = Terms.of(market, unit)
    sensitivities = exposures(market, unit.members)
    moves = symmetric_moves(for_coin(parameters.price_moves, unit.coin))
    long = np.concatenate(
        [scenario_columns(terms, parameters, moves), _maturity_columns(terms, sensitivities)], axis=1
    )
    return RiskArrays(
        unit=unit,
        price_moves=moves,
        buckets=both_sides(long),
        sums=_total_columns(terms, sensitivities),
        delta_sign=np.sign(sensitivities.delta),
    )


# The 33 cells


def scenario_columns(terms: Terms, parameters: BybitParameters, moves: Floats) -> Floats:
    """(M, 3n) long P&L of one contract in USD: every price move with volatility down, same and up."""
    seconds = terms.market.seconds[terms.unit.members]
    near = np.minimum(seconds / parameters.near_expiry_seconds, 1.0)[:, None]
    whole_days = np.maximum(np.ceil(seconds / SECONDS_PER_DAY), 1.0)
    factors = parameters.vol.factors(whole_days)
    futures = _futures_pnl(terms, moves)
    shocked = terms.forward * (1.0 + moves * near)
    return np.concatenate(
        [
            np.where(terms.option, _option_pnl(terms, shocked, terms.vol * factors[:, [column]]), futures)
            for column in range(len(VOL_SHIFTS))
        ],
        axis=1,
    )


def _futures_pnl(terms: Terms, moves: Floats) -> Floats:
    """The contract's own mark moves; an inverse contract's coins are worth the shocked index (our choice)."""
    return terms.size * moves * np.where(terms.inverse, terms.spot / terms.mark, terms.mark * terms.fx)


def _option_pnl(terms: Terms, forward: Floats, vol: Floats) -> Floats:
    """From the published mark to the model value: the cell where nothing moves need not be 0."""
    mark = terms.market.instruments.mark[terms.unit.members][:, None]
    quoted = mark * np.where(terms.inverse, terms.forward, 1.0)
    return terms.size * (terms.value(forward, vol) - quoted) * terms.fx


# What the contingencies are charged on


def _maturity_columns(terms: Terms, sensitivities: Exposures) -> Floats:
    """(M, 4) columns of `Maturity` of one long contract; a vega is per point, in coins, free of fx."""
    size, sign = terms.size[:, 0], terms.sign[:, 0]
    vega = sensitivities.vega / (terms.fx * terms.spot)[:, 0]
    calls, puts = np.where(sign > 0.0, size, 0.0), np.where(sign < 0.0, size, 0.0)
    return np.stack([sensitivities.delta, vega, calls, puts], axis=1)


def _total_columns(terms: Terms, sensitivities: Exposures) -> Floats:
    """(2M, .) columns of `Sensitivity` and `Total` on both sides."""
    group = terms.market.instruments.group[terms.unit.members]
    reported = terms.sensitivities(sensitivities, HOURS_PER_DAY)
    delta = reported[Sensitivity.DELTA]
    signed = np.stack([*reported, *(np.where(group == g, delta, 0.0) for g in Group)], axis=1)
    coins = np.where(terms.option[:, 0], 0.0, np.abs(delta))[:, None]
    premium = _premium(terms)
    above, below = (np.maximum(side, 0.0)[:, None] for side in (delta, -delta))
    above, below = (np.concatenate([side, side * premium], axis=1) for side in (above, below))
    long = np.concatenate([coins, above, below], axis=1)
    short = np.concatenate([coins, below, above], axis=1)
    return np.concatenate([both_sides(signed), facing(long, short)], axis=1)


def _premium(terms: Terms) -> Floats:
    """(M, 1) the price of a contract, or an option's forward, above the index as a fraction of it."""
    return np.where(terms.option, terms.forward, terms.mark) * terms.fx / terms.spot - 1.0
