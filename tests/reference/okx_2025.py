"""``okx-2025``: one risk unit per coin, MR1 to MR7 and MR9."""

from collections.abc import Sequence
from datetime import datetime

from tests.reference.book import Book, Instrument, Json, Leg, Report
from tests.reference.okx import Rules, Unit, bucket_name, okx_report
from tests.reference.tiers import interpolate, slices
from tests.reference.valuation import Valuation

FLOOR = 1e-6
DEPEG_PAIRS = (("USDT", "USD"), ("USDT", "USDC"), ("USDC", "USD"))


def report(book: Book, parameters: Json) -> Report:
    """Account, currencies and risk units of a book."""
    rules = Rules(revalue=revalue, basis=basis, depeg=depeg)
    return okx_report(book, parameters, lambda instrument: (instrument.underlying, True), rules)


def revalue(valuation: Valuation, instrument: Instrument, move: float, vol: float) -> float:
    """USD P&L of one unit of ``n`` under a move of the index: the basis is kept."""
    index, fx = valuation.pair_index(instrument), valuation.fx(instrument)
    if instrument.is_option:
        forward = max(instrument.forward + index * move, FLOOR * index)
        shocked = valuation.option_value(instrument, forward, vol, valuation.years(instrument))
        return (shocked - valuation.model_value(instrument)) * fx
    if instrument.inverse:
        spot = valuation.spot(instrument.underlying)
        price = max(instrument.mark + spot * move, FLOOR * spot)
        return (1.0 / instrument.mark - 1.0 / price) * spot * (1.0 + move)
    return index * move * fx


def basis(unit: Unit, legs: Sequence[Leg], used: float) -> float:
    """MR4: every bucket's net cash delta pays a flat rate and one that grows with time."""
    rule, kind, valuation = unit.parameters["mr4"], unit.class_of("mr4"), unit.valuation
    cash: dict[datetime | None, float] = {}
    years: dict[datetime | None, float] = {}
    for leg in legs:
        bucket = bucket_name(leg)
        cash[bucket] = cash.get(bucket, 0.0) + valuation.cash_delta(leg)
        years[bucket] = valuation.years(leg.instrument)
    flat, annualized = rule["flat"][kind], rule["annualized_move"][kind]
    charge = abs(used * valuation.spot(unit.coin)) * flat
    for bucket, amount in cash.items():
        charge += abs(amount) * (flat + annualized * years[bucket])
    return float(charge)


def depeg(unit: Unit, legs: Sequence[Leg], used: float) -> float:
    """MR9: cash deltas of two settlement groups that lean on each other's peg."""
    rule, valuation = unit.parameters["mr9"], unit.valuation
    cash = {"USDT": 0.0, "USDC": 0.0, "USD": 0.0}
    for leg in legs:
        cash[leg.instrument.group] += valuation.cash_delta(leg)
    if rule["include_spot"]:
        cash["USD"] += used * valuation.spot(unit.coin)
    charge = 0.0
    for first, second in DEPEG_PAIRS:
        hedged = min(abs(cash[first]), abs(cash[second])) if cash[first] * cash[second] < 0.0 else 0.0
        if hedged > 0.0:
            cash[first] = toward_zero(cash[first], hedged)
            cash[second] = toward_zero(cash[second], hedged)
            charge += pair_charge(hedged, valuation.book.fx[first] / valuation.book.fx[second], rule)
    return charge


def toward_zero(amount: float, step: float) -> float:
    return amount - step if amount > 0.0 else amount + step


def pair_charge(hedged: float, price: float, rule: Json) -> float:
    """Every size tier's slice of the hedged amount at that tier's rate for the pair's price."""
    price = min(price, 1.0 / price)
    rates = [interpolate(price, rule["price_nodes"], curve) for curve in rule["rates"]]
    return sum(part * rate for part, rate in zip(slices(hedged, rule["size_tiers"]), rates, strict=True))
