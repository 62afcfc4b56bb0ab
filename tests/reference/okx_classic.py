"""``okx-classic``: one risk unit per coin and settlement group, MR1 to MR7."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.reference.book import Book, Instrument, Json, Leg, Report
from tests.reference.okx import Rules, Unit, bucket_name, okx_report
from tests.reference.okx_2025 import FLOOR
from tests.reference.valuation import Valuation

SPOT_GROUP = {"spot_usdt": "USDT", "spot_usdc": "USDC", "spot_crypto": "USD"}


def report(book: Book, parameters: Json) -> Report:
    """Account, currencies and risk units of a book."""
    spot_group = SPOT_GROUP.get(book.hedge_mode or "derivatives_only")
    rules = Rules(revalue=revalue, basis=basis, depeg=None)

    def unit_of(instrument: Instrument) -> tuple[str, bool]:
        return f"{instrument.underlying}-{instrument.group}", instrument.group == spot_group

    return okx_report(book, parameters, unit_of, rules)


def revalue(valuation: Valuation, instrument: Instrument, move: float, vol: float) -> float:
    """USD P&L of one unit of ``n``; what settles in the coin gains coins, valued at today's index."""
    index, fx = valuation.pair_index(instrument), valuation.fx(instrument)
    spot = valuation.spot(instrument.underlying)
    if instrument.is_option:
        forward = max(instrument.forward + index * move, FLOOR * index)
        shocked = valuation.option_value(instrument, forward, vol, valuation.years(instrument))
        model = valuation.model_value(instrument)
        if instrument.is_coin_settled_option:
            return (shocked / forward - model / instrument.forward) * spot
        return (shocked - model) * fx
    if instrument.inverse:
        price = max(instrument.mark + spot * move, FLOOR * spot)
        return (1.0 / instrument.mark - 1.0 / price) * spot
    return index * move * fx


@dataclass
class Bucket:
    """Coin deltas of one expiry, and the |delta|-weighted mean of their forward prices."""

    dated: bool
    delta: float = 0.0
    weights: list[float] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)

    def mean_price(self) -> float:
        weighted = sum(weight * price for weight, price in zip(self.weights, self.prices, strict=True))
        return weighted / sum(self.weights)


def basis(unit: Unit, legs: Sequence[Leg], used: float) -> float:
    """MR4: what the buckets hedge of each other pays a forward move, and dated ones part of their basis."""
    rule, kind, valuation = unit.parameters["mr4"], unit.class_of("mr4"), unit.valuation
    buckets = bucket_deltas(valuation, legs)
    if rule["include_spot"]:
        buckets.append(Bucket(dated=False, delta=used))
    positive = sum(bucket.delta for bucket in buckets if bucket.delta > 0.0)
    negative = sum(-bucket.delta for bucket in buckets if bucket.delta < 0.0)
    hedged = min(positive, negative)
    if hedged == 0.0:
        return 0.0
    index, fx = valuation.pair_index(legs[0].instrument), valuation.fx(legs[0].instrument)
    spread = 0.0
    for bucket in buckets:
        if bucket.dated and bucket.delta != 0.0:
            share = hedged / (positive if bucket.delta > 0.0 else negative)
            spread += abs(bucket.delta) * share * abs(bucket.mean_price() - index)
    # Gross minus |net| of the buckets is twice what they hedge.
    forward = rule["forward_move"][kind] * 2.0 * hedged * index
    return float((forward + rule["basis_move"][kind] * spread) * fx)


def bucket_deltas(valuation: Valuation, legs: Sequence[Leg]) -> list[Bucket]:
    """Perpetuals together, and one bucket for each expiry instant."""
    buckets: dict[object, Bucket] = {}
    for leg in legs:
        expiry = bucket_name(leg)
        bucket = buckets.setdefault(expiry, Bucket(dated=expiry is not None))
        delta = valuation.coin_delta(leg)
        bucket.delta += delta
        bucket.weights.append(abs(delta))
        bucket.prices.append(leg.instrument.forward if leg.instrument.is_option else leg.instrument.mark)
    return list(buckets.values())
