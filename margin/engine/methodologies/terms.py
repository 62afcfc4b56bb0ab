"""A unit's instruments as columns against which a methodology prices its scenarios."""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from margin.engine.exposures import Exposures
from margin.engine.instruments import DAYS_PER_YEAR
from margin.engine.market import Market
from margin.engine.scenarios import FORWARD_FLOOR
from margin.engine.units import RiskUnit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

HOURS_PER_DAY: Final = 24.0


class Sensitivity(IntEnum):
    """The first columns of `RiskArrays.sums` wherever a methodology stresses: what every unit reports."""

    DELTA = 0
    CASH_DELTA = 1
    GAMMA = 2
    VEGA = 3
    THETA = 4


@dataclass(frozen=True, eq=False)
class Terms:
    """A unit's members as columns, (M, 1) each, ready to broadcast against scenarios."""

    market: Market
    unit: RiskUnit
    size: Floats
    mark: Floats
    forward: Floats
    strike: Floats
    sign: Floats
    vol: Floats
    root_years: Floats
    spot: Floats
    pair_spot: Floats
    fx: Floats
    option: Bools
    inverse: Bools

    @classmethod
    def of(cls, market: Market, unit: RiskUnit) -> "Terms":
        """The columns of the unit's members."""
        table, members = market.instruments, unit.members

        def column(values: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
            return np.ascontiguousarray(values[members])[:, None]

        mark = column(table.mark)
        return cls(
            market=market,
            unit=unit,
            size=column(table.contract_size),
            mark=np.where(mark > 0.0, mark, 1.0),
            forward=column(table.forward),
            strike=column(table.strike),
            sign=column(table.sign),
            # What is no option is priced besides and left out: with 1 it takes no branch of its own.
            vol=column(np.where(table.option, table.mark_iv, 1.0)),
            root_years=column(np.where(table.option, np.sqrt(market.years), 1.0)),
            spot=column(market.spot),
            pair_spot=column(market.pair_spot),
            fx=column(market.group_fx),
            option=column(table.option),
            inverse=column(table.inverse),
        )

    def at(self, rows: npt.NDArray[np.intp] | slice) -> "Terms":
        """The columns of some members, by their number; `unit` stays that of all."""
        return Terms(self.market, self.unit, *(getattr(self, name)[rows] for name in _COLUMNS))

    def shocked_forward(self, moves: Floats) -> Floats:
        """(M, n) option forwards after an absolute move of the pair index, floored above zero."""
        shocked = self.pair_spot * moves
        shocked += self.forward
        return np.maximum(shocked, FORWARD_FLOOR * self.pair_spot, out=shocked)

    def model(self, forward: Floats, vol: Floats) -> Floats:
        """Black-76 value in quote currency for one coin; meaningless where there is no option."""
        return black76.value(forward, self.strike, vol * self.root_years, self.sign)

    def value(self, forward: Floats, vol: Floats) -> Floats:
        """Black-76 value in quote currency for one coin; 0 where there is no option."""
        return np.where(self.option, self.model(forward, vol), 0.0)

    def decay(self, hours: float) -> Floats:
        """(M, 1) USD P&L of one contract when so many hours pass and nothing moves."""
        horizon = hours / (HOURS_PER_DAY * DAYS_PER_YEAR)
        left = np.maximum(self.market.years[self.unit.members][:, None] - horizon, 0.0)
        later = np.where(
            self.option, black76.value(self.forward, self.strike, self.vol * np.sqrt(left), self.sign), 0.0
        )
        return self.size * (later - self.value(self.forward, self.vol)) * self.fx

    def sensitivities(self, exposures: Exposures, decay_hours: float) -> list[Floats]:
        """The columns of `Sensitivity` for one long contract, (M,) each; `exposures` are the members'."""
        return [
            exposures.delta,
            exposures.cash_delta,
            exposures.gamma,
            exposures.vega,
            self.decay(decay_hours)[:, 0],
        ]


#: The fields of `Terms` that have a row for each member.
_COLUMNS: Final = tuple(item.name for item in fields(Terms) if item.name not in ("market", "unit"))
