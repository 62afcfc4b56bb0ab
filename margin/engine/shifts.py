"""Market shifts: what a market would look like after a move, for curves and what-ifs (spec 60, section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from margin.engine.instruments import Instruments
from margin.engine.market import Market

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MarketShifts:
    """A move of the market; the empty one leaves it as it is, bit for bit.

    Attributes
    ----------
    price : by coin, the relative move (above -1) of its indices, marks and forwards.
    vol_points : by coin, hundredths added to the mark IV of its options; no IV falls below 0.
    fx : the new USD rate of a stable currency. Quoted indices and marks keep their figures, so that only
        their worth in USD changes; an index that is not quoted follows the rate.
    seconds : how far the valuation time advances, at least 0.
    """

    price: Mapping[str, float] = field(default_factory=dict)
    vol_points: Mapping[str, float] = field(default_factory=dict)
    fx: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def shifted(market: Market, shifts: MarketShifts) -> Market:
    """The market after a move.

    An option's mark moves by the change of its Black-76 value at mark IV, in quote currency, and never below
    0: what the mark differs from the model today, it differs after the move. One that is quoted in coins is
    converted at its forward, and back at the forward after the move.
    """
    table = market.instruments
    factor = 1.0 + _by_underlying(table, shifts.price)
    iv = np.maximum(table.mark_iv + _by_underlying(table, shifts.vol_points) / 100.0, 0.0)
    moved = replace(
        table,
        forward=np.where(table.option, table.forward * factor, table.forward),
        mark_iv=np.where(table.option, iv, table.mark_iv),
    )
    after = Market(
        as_of=market.as_of + timedelta(seconds=shifts.seconds),
        index=_index(market, shifts.price),
        fx={**market.fx, **shifts.fx},
        instruments=moved,
    )
    change = _model_value(after) - _model_value(market)
    in_coins = (table.mark + change / table.forward) / factor
    option_mark = np.maximum(np.where(table.inverse, in_coins, table.mark + change), 0.0)
    mark = np.where(table.option, option_mark, table.mark * factor)
    return replace(after, instruments=replace(moved, mark=mark))


def _by_underlying(table: Instruments, values: Mapping[str, float]) -> Floats:
    """(I,) the value of each instrument's coin, 0 where it has none."""
    coins = np.array([values.get(coin, 0.0) for coin in table.underlyings], dtype=np.float64)
    return coins[table.underlying]


def _index(market: Market, price: Mapping[str, float]) -> dict[str, float]:
    return {
        pair: value * (1.0 + price.get(pair.rpartition("-")[0], 0.0)) for pair, value in market.index.items()
    }


def _model_value(market: Market) -> Floats:
    """(I,) Black-76 value in quote currency of one coin of each option; meaningless elsewhere."""
    table = market.instruments
    stdev = table.mark_iv * np.sqrt(market.years)
    return black76.value(table.forward, table.strike, stdev, table.sign)
