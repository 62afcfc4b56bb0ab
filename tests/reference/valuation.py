"""Prices and exposures of one book, with every Black-76 value worked out once.

All ``unit_*`` methods are for one coin or dollar of ``n``, which is quantity times contract size.
"""

import math
from collections.abc import Iterable
from typing import Final

from tests.reference import black76
from tests.reference.book import STABLE, Book, Instrument, Leg, Report, Row

YEAR_SECONDS: Final = 365 * 86_400
YEAR_HOURS: Final = 8_760


class Valuation:
    """The market of a book, seen from its instruments."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._values: dict[tuple[str, float, float, float], float] = {}
        self._deltas: dict[str, float] = {}

    def seconds(self, instrument: Instrument) -> float:
        """Seconds to expiry; 0 for a perpetual."""
        if instrument.expiry is None:
            return 0.0
        return max(0.0, (instrument.expiry - self.book.as_of).total_seconds())

    def years(self, instrument: Instrument) -> float:
        return self.seconds(instrument) / YEAR_SECONDS

    def days(self, instrument: Instrument) -> float:
        return 365 * self.years(instrument)

    def usd_price(self, currency: str) -> float:
        return self.book.fx[currency] if currency in STABLE else self.spot(currency)

    def spot(self, coin: str) -> float:
        """``S``: the coin in USD."""
        return self.book.index[f"{coin}-USD"]

    def fx(self, instrument: Instrument) -> float:
        return self.book.fx[instrument.group]

    def pair_index(self, instrument: Instrument) -> float:
        """``S_p``: the coin in the currency of the instrument's settlement group."""
        pair = f"{instrument.underlying}-{instrument.group}"
        if pair in self.book.index:
            return self.book.index[pair]
        return self.spot(instrument.underlying) / self.fx(instrument)

    def option_value(self, option: Instrument, forward: float, vol: float, years: float) -> float:
        """Black-76 in quote currency for one coin."""
        key = (option.id, forward, vol, years)
        if key not in self._values:
            self._values[key] = black76.value(option.option_type, forward, option.strike, vol, years)
        return self._values[key]

    def model_value(self, option: Instrument) -> float:
        """Black-76 of the option as it stands."""
        return self.option_value(option, option.forward, option.mark_iv, self.years(option))

    def unit_delta(self, instrument: Instrument) -> float:
        """Coins of delta."""
        if instrument.id not in self._deltas:
            self._deltas[instrument.id] = self._unit_delta(instrument)
        return self._deltas[instrument.id]

    def _unit_delta(self, instrument: Instrument) -> float:
        if instrument.is_option:
            i = instrument
            return black76.delta(i.option_type, i.forward, i.strike, i.mark_iv, self.years(i))
        return 1.0 / instrument.mark if instrument.inverse else 1.0

    def unit_cash_delta(self, instrument: Instrument) -> float:
        """USD of cash delta."""
        if instrument.is_option:
            return self.unit_delta(instrument) * self.pair_index(instrument) * self.fx(instrument)
        return 1.0 if instrument.inverse else instrument.mark * self.fx(instrument)

    def unit_coins(self, instrument: Instrument) -> float:
        """Coins of notional: 1, or what a dollar buys at mark for an inverse contract."""
        is_inverse_future = instrument.inverse and not instrument.is_option
        return 1.0 / instrument.mark if is_inverse_future else 1.0

    def unit_decay(self, option: Instrument, hours: float) -> float:
        """USD gained by the model value when ``hours`` pass and nothing else moves."""
        later = max(0.0, self.years(option) - hours / YEAR_HOURS)
        value = self.option_value(option, option.forward, option.mark_iv, later)
        return (value - self.model_value(option)) * self.fx(option)

    def coin_delta(self, leg: Leg) -> float:
        return leg.n * self.unit_delta(leg.instrument)

    def cash_delta(self, leg: Leg) -> float:
        return leg.n * self.unit_cash_delta(leg.instrument)


def unrealised(row: Row) -> float:
    """P&L of a perpetual or future position against its entry, in settle currency; 0 for an option."""
    instrument = row.instrument
    if instrument.is_option:
        return 0.0
    if instrument.inverse:
        return row.n * (1.0 / row.price - 1.0 / instrument.mark)
    return row.n * (instrument.mark - row.price)


def greeks(valuation: Valuation, legs: Iterable[Leg], hours: float) -> Report:
    """The exposure fields of a risk unit, over the derivatives of one order set."""
    legs = list(legs)
    return {
        "delta": math.fsum(valuation.coin_delta(leg) for leg in legs),
        "cash_delta": math.fsum(valuation.cash_delta(leg) for leg in legs),
        "gamma": math.fsum(leg_gamma(valuation, leg) for leg in legs),
        "theta": math.fsum(leg_theta(valuation, leg, hours) for leg in legs),
        "vega": math.fsum(leg_vega(valuation, leg) for leg in legs),
    }


def leg_gamma(valuation: Valuation, leg: Leg) -> float:
    """Coins of delta per unit of quote currency."""
    if not leg.instrument.is_option:
        return 0.0
    i = leg.instrument
    return leg.n * black76.gamma(i.forward, i.strike, i.mark_iv, valuation.years(i))


def leg_theta(valuation: Valuation, leg: Leg, hours: float) -> float:
    """USD over the horizon."""
    return leg.n * valuation.unit_decay(leg.instrument, hours) if leg.instrument.is_option else 0.0


def leg_vega(valuation: Valuation, leg: Leg) -> float:
    """USD for one volatility point."""
    if not leg.instrument.is_option:
        return 0.0
    i = leg.instrument
    return leg.n * black76.vega_point(i.forward, i.strike, i.mark_iv, valuation.years(i)) * valuation.fx(i)


def unit_upl(valuation: Valuation, rows: Iterable[Row]) -> float:
    """Unrealised P&L of positions in USD."""
    return math.fsum(unrealised(row) * valuation.usd_price(row.instrument.settle) for row in rows)
