"""Risk arrays of the OKX methodologies: the columns, and what both fill alike (spec 10, sections 3 and 4)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from margin.engine.exposures import Exposures, exposures
from margin.engine.instruments import DAYS_PER_YEAR, Group
from margin.engine.market import Market
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays, both_sides, facing
from margin.engine.scenarios import FORWARD_FLOOR, VOL_SHIFTS, symmetric_moves
from margin.engine.units import RiskUnit

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)

HOURS_PER_DAY: Final = 24.0


class Total(IntEnum):
    """Columns of `RiskArrays.sums`; the rate curves of MR5 follow from `CURVES` on."""

    DELTA = 0
    CASH_DELTA = 1
    GAMMA = 2
    VEGA = 3
    THETA = 4
    CASH_USDT = 5
    CASH_USDC = 6
    CASH_USD = 7
    MINIMUM_CHARGE = 8
    CURVES = 9


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

        return cls(
            market=market,
            unit=unit,
            size=column(table.contract_size),
            mark=column(table.mark_or_one),
            forward=column(table.forward),
            strike=column(table.strike),
            sign=column(table.sign),
            vol=column(table.mark_iv),
            root_years=column(np.sqrt(market.years)),
            spot=column(market.spot),
            pair_spot=column(market.pair_spot),
            fx=column(market.group_fx),
            option=column(table.option),
            inverse=column(table.inverse),
        )

    def shocked_forward(self, moves: Floats) -> Floats:
        """(M, n) option forwards after an absolute move of the pair index, floored above zero."""
        return np.maximum(self.forward + self.pair_spot * moves, FORWARD_FLOOR * self.pair_spot)

    def value(self, forward: Floats, vol: Floats) -> Floats:
        """Black-76 value in quote currency for one coin; 0 where there is no option."""
        return np.where(
            self.option, black76.value(forward, self.strike, vol * self.root_years, self.sign), 0.0
        )


#: Long P&L of one contract at price moves (n,) and volatility (M, 1); shape (M, n), USD.
Revaluation = Callable[[Terms, Floats, Floats], Floats]


def option_shift(terms: Terms, moves: Floats, vol: Floats) -> Floats:
    """Full revaluation of an option in USD, from its model value at mark IV; for one contract, (M, n)."""
    change = terms.value(terms.shocked_forward(moves), vol) - terms.value(terms.forward, terms.vol)
    return terms.size * change * terms.fx


def linear_shift(terms: Terms, moves: Floats) -> Floats:
    """An absolute move of the pair index; the basis is kept. For one contract, (M, n)."""
    return terms.size * terms.pair_spot * moves * terms.fx


def scenario_columns(terms: Terms, parameters: OkxParameters, revalue: Revaluation, moves: Floats) -> Floats:
    """(M, 3(n + 1)) long P&L: for down, same and up the n price moves, each followed by one more column.

    The columns that follow are MR6's two extreme moves, after down and same, and after up the cash delta.
    """
    extreme = parameters.extreme_move.of(terms.unit.coin) * np.array([-1.0, 1.0])
    shifted = parameters.vol_shift.columns(terms.vol[:, 0], terms.market.days[terms.unit.members])
    blocks = []
    extremes = revalue(terms, extreme, terms.vol)
    for column in range(len(VOL_SHIFTS)):
        vol = np.ascontiguousarray(shifted[:, column])[:, None]
        pnl = revalue(terms, moves, vol)
        last = extremes[:, column : column + 1] if column < extremes.shape[1] else np.zeros_like(pnl[:, :1])
        blocks += [pnl, last]
    return np.concatenate(blocks, axis=1)


def total_columns(terms: Terms, parameters: OkxParameters, sensitivities: Exposures) -> Floats:
    """(2M, CURVES + K) columns of `Total` on both sides."""
    members, market = terms.unit.members, terms.market
    group = market.instruments.group[members]
    cash = sensitivities.cash_delta[members]
    signed = np.stack(
        [
            sensitivities.delta[members],
            cash,
            sensitivities.gamma[members],
            sensitivities.vega[members],
            _decay(terms, parameters)[:, 0],
            *(np.where(group == g, cash, 0.0) for g in Group),
            np.zeros(len(members)),
        ],
        axis=1,
    )
    sides = both_sides(np.concatenate([signed, _rate_shifts(terms, parameters)], axis=1))
    long, short = _minimum_charge(terms, parameters, np.abs(cash))
    sides[:, Total.MINIMUM_CHARGE] = facing(long, short)[:, 0]
    return sides


def _decay(terms: Terms, parameters: OkxParameters) -> Floats:
    """MR2: P&L of one contract when the horizon passes and nothing moves; (M, 1)."""
    horizon = parameters.decay_hours / (HOURS_PER_DAY * DAYS_PER_YEAR)
    left = np.maximum(terms.market.years[terms.unit.members][:, None] - horizon, 0.0)
    later = np.where(
        terms.option, black76.value(terms.forward, terms.strike, terms.vol * np.sqrt(left), terms.sign), 0.0
    )
    return terms.size * (later - terms.value(terms.forward, terms.vol)) * terms.fx


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
    sensitivities = exposures(market)
    moves = symmetric_moves(parameters.price_moves.of(unit.coin))
    scenarios = scenario_columns(terms, parameters, revalue, moves)
    return RiskArrays(
        unit=unit,
        price_moves=moves,
        buckets=bucket_columns(terms, sensitivities, scenarios),
        sums=total_columns(terms, parameters, sensitivities),
        delta_sign=np.sign(sensitivities.delta[unit.members]),
    )
