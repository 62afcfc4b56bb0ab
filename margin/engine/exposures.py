"""Exposure of one contract of each instrument (spec 01, section 5). All functions return shape (I,)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from margin.engine.market import Market

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Exposures:
    """Sensitivities of one long contract, shape (I,) each.

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


def exposures(market: Market) -> Exposures:
    """Delta, cash delta, gamma and vega of one long contract of every instrument."""
    table, size = market.instruments, market.instruments.contract_size
    root_years = np.sqrt(market.years)
    stdev = table.mark_iv * root_years
    option_delta = black76.delta(table.forward, table.strike, stdev, table.sign)
    delta = np.where(table.option, option_delta, np.where(table.inverse, 1.0 / table.mark_or_one, 1.0))
    cash = np.where(
        table.option,
        option_delta * market.pair_spot * market.group_fx,
        np.where(table.inverse, 1.0, table.mark * market.group_fx),
    )
    gamma = np.where(table.option, black76.gamma(table.forward, table.strike, stdev), 0.0)
    vega = np.where(table.option, black76.vega(table.forward, table.strike, stdev, root_years), 0.0)
    return Exposures(size * delta, size * cash, size * gamma, size * vega * market.group_fx / 100.0)


def notional_at_index(market: Market) -> Floats:
    """USD notional at the index of one contract: size * S, and size / mark * S for inverse futures."""
    table = market.instruments
    coins = np.where(table.inverse & ~table.option, 1.0 / table.mark_or_one, 1.0)
    return table.contract_size * coins * market.spot


def unrealised(market: Market, instrument: npt.NDArray[np.int32], quantity: Floats, entry: Floats) -> Floats:
    """Unrealised P&L of lots in their settlement currency; 0 for options, whose P&L is in their value."""
    table = market.instruments
    mark, n = table.mark[instrument], quantity * table.contract_size[instrument]
    option, inverse = table.option[instrument], table.inverse[instrument]
    safe_entry = np.where(option, 1.0, entry)
    linear = n * (mark - entry)
    return np.where(
        option, 0.0, np.where(inverse, n * (1.0 / safe_entry - 1.0 / np.where(option, 1.0, mark)), linear)
    )


def option_value(market: Market, instrument: npt.NDArray[np.int32], quantity: Floats) -> Floats:
    """Market value of option positions in their settlement currency; 0 for perpetuals and futures."""
    table = market.instruments
    value = quantity * table.contract_size[instrument] * table.mark[instrument]
    return np.where(table.option[instrument], value, 0.0)
