"""``standard``: position by position, no offsets."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.reference import account
from tests.reference.book import EXACT, Book, Json, Leg, Report, Row, net_legs, net_quantities
from tests.reference.orders import gross_of
from tests.reference.tiers import entry, whole
from tests.reference.valuation import Valuation, greeks, unit_upl

THETA_HOURS = 24.0


@dataclass(frozen=True)
class Margin:
    """Maintenance and initial requirement in USD."""

    mmr: float
    imr: float


def report(book: Book, parameters: Json) -> Report:
    """Account, currencies and risk units of a book."""
    valuation = Valuation(book)
    rows = (*book.positions, *book.derivative_orders)
    coins = sorted({row.instrument.underlying for row in rows})
    units = [unit_report(valuation, parameters, coin) for coin in coins]
    currencies = account.currency_entries(valuation, parameters["discount"], parameters["borrow"]["tiers"])
    return {
        "account": account.ratio_account(valuation, parameters, units, currencies),
        "currencies": currencies,
        "risk_units": units,
    }


def unit_report(valuation: Valuation, parameters: Json, coin: str) -> Report:
    positions = [row for row in valuation.book.positions if row.instrument.underlying == coin]
    orders = [row for row in valuation.book.derivative_orders if row.instrument.underlying == coin]
    legs = net_legs(positions)
    futures = [futures_margin(valuation, parameters, leg) for leg in legs if not leg.instrument.is_option]
    options = [
        option_margin(valuation, parameters, leg, mean_entry(positions, leg))
        for leg in legs
        if leg.instrument.is_option
    ]
    opening = math.fsum(opening_margins(valuation, parameters, positions, orders))
    components = {
        "futures": math.fsum(margin.mmr for margin in futures),
        "options": math.fsum(margin.mmr for margin in options),
        "orders": opening,
    }
    return {
        "unit": coin,
        "binding": "positions",
        "mmr": components["futures"] + components["options"],
        "imr": math.fsum(margin.imr for margin in (*futures, *options)) + opening,
        "spot_in_use": 0.0,
        **greeks(valuation, legs, THETA_HOURS),
        "upl": unit_upl(valuation, positions),
        "components": components,
        "scenarios": None,
        "worst": None,
        "gross": gross_of(valuation, net_legs([*positions, *orders]), [0.0]),
    }


def margin_of(valuation: Valuation, parameters: Json, leg: Leg, entry_price: float) -> Margin:
    """Requirement of one instrument on its own."""
    if leg.instrument.is_option:
        return option_margin(valuation, parameters, leg, entry_price)
    return futures_margin(valuation, parameters, leg)


def futures_margin(valuation: Valuation, parameters: Json, leg: Leg) -> Margin:
    """Cash delta at the rates of the tier in which the whole position falls."""
    coins = abs(leg.n) * valuation.unit_coins(leg.instrument)
    tier = whole(coins, entry(parameters["futures_tiers"], leg.instrument.underlying))
    cash = abs(valuation.cash_delta(leg))
    return Margin(cash * float(tier["mmr"]), cash * float(tier["imr"]))


def option_margin(valuation: Valuation, parameters: Json, leg: Leg, entry_price: float) -> Margin:
    """A short option's requirement; ``entry_price`` is in settle currency. A long option is paid for."""
    if leg.n >= 0.0:
        return Margin(0.0, 0.0)
    option, rule, index = leg.instrument, parameters["option"], valuation.pair_index(leg.instrument)
    to_quote = index if option.is_coin_settled_option else 1.0
    value, paid = option.mark * to_quote, entry_price * to_quote
    away = option.strike - index if option.option_type == "call" else index - option.strike
    mmr = max(rule["mmr_index"] * index, rule["mmr_mark"] * value) + value + rule["fee"] * index
    floor = max(rule["imr_index"] * index - max(0.0, away), rule["imr_floor"] * index)
    imr = max(floor + max(paid, value), mmr)
    size = abs(leg.n) * valuation.fx(option)
    return Margin(size * mmr, size * imr)


def mean_entry(positions: Iterable[Row], leg: Leg) -> float:
    """Quantity-weighted mean entry of the rows on the net side of the instrument; 0 when it is flat."""
    rows = [
        row
        for row in positions
        if row.instrument.id == leg.instrument.id and float(row.quantity) * leg.n > 0.0
    ]
    weight = math.fsum(abs(row.n) for row in rows)
    return math.fsum(abs(row.n) * row.price for row in rows) / weight if weight else 0.0


def opening_margins(
    valuation: Valuation, parameters: Json, positions: Sequence[Row], orders: Sequence[Row]
) -> list[float]:
    """IMR of what each order opens, orders using up the position in the order of the document."""
    left = net_quantities(positions)
    margins = []
    for row in orders:
        held = left.get(row.instrument.id, Decimal(0))
        reduces = (held > 0) != (row.quantity > 0) and held != 0
        used = min(held.copy_abs(), row.quantity.copy_abs()) if reduces else Decimal(0)
        left[row.instrument.id] = EXACT.subtract(held, used.copy_sign(held))
        opened = EXACT.subtract(row.quantity, used.copy_sign(row.quantity))
        leg = Leg(row.instrument, float(opened) * row.instrument.contract_size)
        margins.append(margin_of(valuation, parameters, leg, row.price).imr)
    return margins
