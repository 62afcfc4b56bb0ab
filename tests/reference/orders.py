"""The order sets of a risk unit, by membership."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import copysign, fsum

from tests.reference.book import Leg, Report, Row, net_legs, net_quantities
from tests.reference.valuation import Valuation, leg_gamma

TIE = 1e-9
WITH_SPOT = "_with_spot_orders"


@dataclass(frozen=True)
class OrderSet:
    """Positions plus some orders, netted by instrument.

    ``aliases`` are the names that other contents with the very same net quantities would have had.
    """

    name: str
    aliases: tuple[str, ...]
    legs: tuple[Leg, ...]


def order_sets(
    valuation: Valuation, positions: Sequence[Row], orders: Sequence[Row], wanted: Sequence[str]
) -> list[OrderSet]:
    """The distinct sets among ``wanted``, each under the first name whose contents are the same."""
    members = memberships(valuation, orders)
    rows = {name: [*positions, *(orders[k] for k in sorted(part))] for name, part in members.items()}
    net = {name: nonzero(rows[name]) for name in members}
    contents = {members[name] for name in wanted}
    sets = []
    for name, part in members.items():
        if part in contents:
            contents.discard(part)
            aliases = tuple(other for other in members if other != name and net[other] == net[name])
            sets.append(OrderSet(name, aliases, tuple(net_legs(rows[name]))))
    return sets


def memberships(valuation: Valuation, orders: Sequence[Row]) -> Mapping[str, frozenset[int]]:
    """Order numbers by name of the set; an order of zero delta joins both sides and the total once."""
    deltas = [copysign(1.0, row.quantity) * valuation.unit_delta(row.instrument) for row in orders]
    positive = frozenset(k for k, delta in enumerate(deltas) if delta >= 0.0)
    negative = frozenset(k for k, delta in enumerate(deltas) if delta <= 0.0)
    return {
        "positions": frozenset(),
        "positive_delta": positive,
        "negative_delta": negative,
        "total": positive | negative,
    }


def nonzero(rows: Iterable[Row]) -> dict[str, Decimal]:
    return {name: quantity for name, quantity in net_quantities(rows).items() if quantity != 0}


def net_spot_order(orders: Iterable[Row], coin: str) -> list[Decimal]:
    """Signed amounts of the coin that its spot orders would bring."""
    return [row.quantity for row in orders if row.instrument.underlying == coin]


def nearly(a: float, b: float, gross: float) -> bool:
    """Whether two requirements are equal as far as rounding lets anyone tell."""
    return abs(a - b) <= TIE * max(abs(a), abs(b)) + 1e-2 * TIE * gross


def highest(units: Sequence[Report]) -> Report:
    """The first of the largest requirements."""
    return max(units, key=lambda unit: float(unit["mmr"]))


def with_ties(binding: Report, candidates: Iterable[Report]) -> Report:
    """The binding set's report, carrying as ``tied`` every other candidate that decides as well."""
    gross = float(binding["gross"]["usd"])
    tied = [
        {key: value for key, value in unit.items() if key != "tied"}
        for unit in candidates
        if unit is not binding and nearly(unit["mmr"], binding["mmr"], gross)
    ]
    return binding | {"tied": tied}


def gross_of(valuation: Valuation, legs: Sequence[Leg], largest: Iterable[float]) -> Report:
    """Sizes of what is added up in a unit: the scale of its rounding.

    ``largest`` is, per leg, the largest scenario P&L in USD.
    """
    coins = [abs(leg.n) * valuation.unit_coins(leg.instrument) for leg in legs]
    notional = fsum(
        amount * valuation.spot(leg.instrument.underlying) for amount, leg in zip(coins, legs, strict=True)
    )
    gamma = fsum(abs(leg_gamma(valuation, leg)) for leg in legs)
    return {"usd": notional + fsum(largest), "coins": fsum(coins), "gamma": gamma}
