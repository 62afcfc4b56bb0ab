"""Equity, discounts, borrowing and leverage: what the methodologies share at account level."""

import math
from collections.abc import Iterable, Sequence

from tests.reference.book import Instrument, Json, Leg, Report, net_legs
from tests.reference.tiers import entry, marginal, whole
from tests.reference.valuation import Valuation, unrealised


def discounted(equity: float, price: float, tiers: Sequence[Json]) -> float:
    """USD that an equity counts for: through the discount tiers, and whole where it is a debt."""
    return (marginal(equity, tiers, "rate") if equity > 0.0 else equity) * price


def currency_entries(valuation: Valuation, discount: Json, borrow: Json) -> list[Report]:
    """One entry for each currency with a balance or a position that settles in it, by code."""
    book = valuation.book
    names = set(book.balances) | {row.instrument.settle for row in book.positions}
    return [currency_entry(valuation, name, discount, borrow) for name in sorted(names)]


def currency_entry(valuation: Valuation, name: str, discount: Json, borrow: Json) -> Report:
    rows = [row for row in valuation.book.positions if row.instrument.settle == name]
    cash = float(valuation.book.cash(name))
    upl = math.fsum(unrealised(row) for row in rows)
    options = [row for row in rows if row.instrument.is_option]
    option_value = math.fsum(row.n * row.instrument.mark for row in options)
    equity, price = cash + upl + option_value, valuation.usd_price(name)
    debt = max(0.0, -equity)
    tier = whole(debt, entry(borrow, name))
    return {
        "currency": name,
        "cash": cash,
        "upl": upl,
        "option_value": option_value,
        "equity": equity,
        "usd_value": equity * price,
        "discounted_usd": discounted(equity, price, entry(discount, name)),
        "liability_usd": debt * price,
        "borrow_mmr": debt * price * float(tier["mmr"]),
        "borrow_imr": debt * price * float(tier["imr"]),
        "price": price,
        "gross": abs(cash)
        + math.fsum(row_gross(valuation, row.n, row.price, row.instrument) for row in rows),
    }


def row_gross(valuation: Valuation, n: float, price: float, instrument: Instrument) -> float:
    """Size of the terms that a position adds to its currency, in that currency: the scale of rounding."""
    if instrument.is_option:
        return abs(n) * instrument.mark
    if instrument.inverse:
        return abs(n) * (1.0 / price + 1.0 / instrument.mark)
    return abs(n) * (instrument.mark + price)


def total(entries: Iterable[Json], field: str) -> float:
    return math.fsum(float(item[field]) for item in entries)


def ratio(numerator: float, denominator: float) -> float | None:
    """None where there is nothing to divide by."""
    return None if denominator == 0.0 else numerator / denominator


def rate(requirement: float, base: float) -> float | None:
    """Requirement over equity base; None where the base is used up."""
    return None if base <= 0.0 else requirement / base


def index_notional(valuation: Valuation, leg: Leg) -> float:
    """|USD notional| at the index."""
    coins = abs(leg.n) * valuation.unit_coins(leg.instrument)
    return coins * valuation.spot(leg.instrument.underlying)


def leverage(valuation: Valuation, adjusted_equity: float) -> float | None:
    """Index notional of the positions, net per instrument, over adjusted equity."""
    legs = net_legs(valuation.book.positions)
    return ratio(math.fsum(index_notional(valuation, leg) for leg in legs), adjusted_equity)


def ratio_status(margin_ratio: float | None, thresholds: Json) -> str:
    """Status of the methodologies whose threshold is a margin ratio; without a requirement it is normal."""
    if margin_ratio is None:
        return "normal"
    if margin_ratio <= thresholds["liquidation_ratio"]:
        return "liquidation"
    return "warning" if margin_ratio <= thresholds["warning_ratio"] else "normal"


def ratio_account(
    valuation: Valuation, parameters: Json, units: Sequence[Json], currencies: Sequence[Json]
) -> Report:
    """Account figures of the OKX methodologies and ``standard``."""
    mmr_units, imr_units = total(units, "mmr"), total(units, "imr")
    borrow_mmr, borrow_imr = total(currencies, "borrow_mmr"), total(currencies, "borrow_imr")
    adjusted, mmr, imr = total(currencies, "discounted_usd"), mmr_units + borrow_mmr, imr_units + borrow_imr
    fee = float(parameters["liquidation_fee_rate"]) * (total(currencies, "liability_usd") + borrow_mmr)
    margin_ratio = ratio(adjusted, mmr + fee)
    return {
        "id": valuation.book.account_id,
        "net_equity": total(currencies, "usd_value"),
        "adjusted_equity": adjusted,
        "upl": total(units, "upl"),
        "derivatives_mmr": mmr_units,
        "derivatives_imr": imr_units,
        "borrow_mmr": borrow_mmr,
        "borrow_imr": borrow_imr,
        "mmr": mmr,
        "imr": imr,
        "liquidation_fee": fee,
        "margin_ratio": margin_ratio,
        "mmr_rate": rate(mmr, adjusted),
        "imr_rate": rate(imr, adjusted),
        "leverage": leverage(valuation, adjusted),
        "status": ratio_status(margin_ratio, parameters["thresholds"]),
        "gross": account_gross(valuation, units, currencies),
    }


def account_gross(valuation: Valuation, units: Sequence[Json], currencies: Sequence[Json]) -> float:
    """USD size of everything added up in the account: the scale of its rounding."""
    in_units = math.fsum(float(unit["gross"]["usd"]) for unit in units)
    in_cash = math.fsum(float(item["gross"]) * valuation.usd_price(item["currency"]) for item in currencies)
    return in_units + in_cash
