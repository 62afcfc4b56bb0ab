"""``bybit-uta`` at account level: the equity base, what open orders cost it, and what can be withdrawn."""

import math
from collections.abc import Callable, Mapping, Sequence

from tests.reference import account
from tests.reference.book import STABLE, Json, Report, Row
from tests.reference.tiers import entry
from tests.reference.valuation import Valuation


def collateral_ratio(parameters: Json, currency: str) -> float:
    """First discount tier."""
    return float(entry(parameters["discount"], currency)[0]["rate"])


def account_figures(
    valuation: Valuation, parameters: Json, units: Sequence[Json], currencies: Sequence[Json]
) -> Report:
    """Account figures; the equity base counts what open orders would lose at once."""
    mmr_units, imr_units = account.total(units, "mmr"), account.total(units, "imr")
    borrow_mmr = account.total(currencies, "borrow_mmr")
    borrow_imr = account.total(currencies, "borrow_imr")
    adjusted = account.total(currencies, "discounted_usd")
    haircut = math.fsum(haircut_loss(valuation, parameters, row) for row in valuation.book.spot_orders)
    lost = math.fsum(order_loss(valuation, row) for row in valuation.book.derivative_orders)
    base, mmr, imr = adjusted - haircut + lost, mmr_units + borrow_mmr, imr_units + borrow_imr
    borrowed = any(item["equity"] < 0.0 for item in currencies)
    order_size = math.fsum(order_gross(valuation, row) for row in valuation.book.orders)
    return {
        "id": valuation.book.account_id,
        "net_equity": account.total(currencies, "usd_value"),
        "adjusted_equity": adjusted,
        "upl": account.total(units, "upl"),
        "derivatives_mmr": mmr_units,
        "derivatives_imr": imr_units,
        "borrow_mmr": borrow_mmr,
        "borrow_imr": borrow_imr,
        "mmr": mmr,
        "imr": imr,
        "liquidation_fee": 0.0,
        "haircut_loss": haircut,
        "order_loss": lost,
        "margin_ratio": account.ratio(base, mmr),
        "mmr_rate": account.rate(mmr, base),
        "imr_rate": account.rate(imr, base),
        "leverage": account.leverage(valuation, adjusted),
        "status": rate_status(mmr, base, borrowed, parameters["thresholds"]),
        "gross": account.account_gross(valuation, units, currencies) + order_size,
    }


def rate_status(mmr: float, base: float, borrowed: bool, thresholds: Json) -> str:
    """Status by the maintenance rate; a used-up base with a requirement is past every threshold."""
    if base <= 0.0:
        return "liquidation" if mmr > 0.0 else "normal"
    rate = mmr / base
    if rate >= thresholds["liquidation_rate"]:
        return "liquidation"
    if borrowed and rate >= thresholds["repay_rate"]:
        return "repay"
    return "warning" if rate >= thresholds["warning_rate"] else "normal"


def order_loss(valuation: Valuation, row: Row) -> float:
    """USD (never positive) that a perpetual or future order would lose when filled at its price."""
    instrument = row.instrument
    if instrument.is_option:
        return 0.0
    gain = 1.0 / row.price - 1.0 / instrument.mark if instrument.inverse else instrument.mark - row.price
    return min(0.0, row.n * gain) * valuation.usd_price(instrument.settle)


def haircut_loss(valuation: Valuation, parameters: Json, row: Row) -> float:
    """Collateral that a spot order would lose when what it buys counts for less than what it sells."""
    coin, quote = row.instrument.underlying, row.instrument.settle
    size = abs(row.n)
    in_coin = size * valuation.spot(coin) * collateral_ratio(parameters, coin)
    in_quote = size * row.price * valuation.usd_price(quote) * collateral_ratio(parameters, quote)
    return max(0.0, in_quote - in_coin if row.quantity > 0 else in_coin - in_quote)


def order_gross(valuation: Valuation, row: Row) -> float:
    """USD size of the terms in an order's loss."""
    if row.instrument.is_spot:
        price = row.price * valuation.usd_price(row.instrument.settle)
        return abs(row.n) * (valuation.spot(row.instrument.underlying) + price)
    in_settle = account.row_gross(valuation, row.n, row.price, row.instrument)
    return in_settle * valuation.usd_price(row.instrument.settle)


def withdrawable(
    valuation: Valuation, parameters: Json, figures: Json, item: Json, hedging: Mapping[str, float]
) -> float:
    """The most of a currency that can leave while the equity base still covers the account's IMR.

    Coins that hedge stay. The requirement is the report's own; only adjusted equity changes.
    """
    name, equity = item["currency"], item["equity"]
    held_back = 0.0 if name in STABLE else hedging.get(name, 0.0)
    tiers, price = entry(parameters["discount"], name), valuation.usd_price(name)
    others = (
        figures["adjusted_equity"] - item["discounted_usd"] - figures["haircut_loss"] + figures["order_loss"]
    )

    def covers(amount: float) -> bool:
        return bool(others + account.discounted(equity - amount, price, tiers) >= figures["imr"])

    return largest_that(covers, max(0.0, item["cash"] - held_back))


def largest_that(holds: Callable[[float], bool], upper: float) -> float:
    """Largest argument in [0, upper] of a condition that fails from some point on; 0 if it never holds."""
    if holds(upper):
        return upper
    low, high = 0.0, upper
    while holds(low) and low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
