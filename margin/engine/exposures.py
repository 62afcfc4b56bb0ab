"""Exposure of one contract of each instrument (spec 01, section 5)."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from margin.engine.market import Market

Floats = npt.NDArray[np.float64]
Members: TypeAlias = npt.NDArray[np.int32] | slice

EVERYTHING: Final = slice(None)


@dataclass(frozen=True, eq=False)
class Exposures:
    """Sensitivities of one long contract, (M,) each.

    Attributes
    ----------
    delta : coin delta, in coins.
    cash_delta : USD.
    gamma : coins of delta per unit of quote currency.
    vega : USD per vol point.
    """

    delta: Floats
    cash_delta: Floats
    gamma: Floats
    vega: Floats


def exposures(market: Market, members: Members = EVERYTHING) -> Exposures:
    """Delta, cash delta, gamma and vega of one long contract of the given instruments."""
    table = market.instruments
    option, inverse, size = table.option[members], table.inverse[members], table.contract_size[members]
    forward, strike, sign = table.forward[members], table.strike[members], table.sign[members]
    mark, fx = table.mark[members], market.group_fx[members]
    safe_mark, root_years = np.where(mark > 0.0, mark, 1.0), np.sqrt(market.years[members])
    stdev = table.mark_iv[members] * root_years
    option_delta = black76.delta(forward, strike, stdev, sign)
    delta = np.where(option, option_delta, np.where(inverse, 1.0 / safe_mark, 1.0))
    cash = np.where(option, option_delta * market.pair_spot[members] * fx, np.where(inverse, 1.0, mark * fx))
    gamma = np.where(option, black76.gamma(forward, strike, stdev), 0.0)
    vega = np.where(option, black76.vega(forward, strike, stdev, root_years), 0.0)
    return Exposures(size * delta, size * cash, size * gamma, size * vega * fx / 100.0)


def notional_at_index(market: Market) -> Floats:
    """USD notional at the index of one contract of each instrument."""
    return market.index_notional


def option_value(market: Market, instrument: npt.NDArray[np.int32], quantity: Floats) -> Floats:
    """Market value of option positions in their settlement currency; 0 for perpetuals and futures."""
    table = market.instruments
    value = quantity * table.contract_size[instrument] * table.mark[instrument]
    return np.where(table.option[instrument], value, 0.0)
