"""A valid book document as plain values.

Quantities stay decimal so that rows of one instrument cancel exactly; everything else becomes a float.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Any

Json = Mapping[str, Any]
Report = dict[str, Any]

STABLE = ("USD", "USDT", "USDC")
EXACT = Context(prec=400)


@dataclass(frozen=True)
class Instrument:
    """One listed instrument; fields that its kind lacks are zero, empty or None."""

    id: str
    kind: str
    underlying: str
    settle: str
    contract_size: float
    mark: float
    inverse: bool
    expiry: datetime | None
    strike: float
    option_type: str
    mark_iv: float
    forward: float

    @property
    def is_option(self) -> bool:
        return self.kind == "option"

    @property
    def is_spot(self) -> bool:
        return self.kind == "spot"

    @property
    def is_linear_future(self) -> bool:
        """A perpetual or future whose P&L is proportional to its price."""
        return self.kind in ("perpetual", "future") and not self.inverse

    @property
    def is_coin_settled_option(self) -> bool:
        return self.is_option and self.settle == self.underlying

    @property
    def group(self) -> str:
        """Settlement group: USDT, USDC, or USD for whatever settles in the coin."""
        return self.settle if self.settle in ("USDT", "USDC") else "USD"


@dataclass(frozen=True)
class Row:
    """A position (price = entry) or an order (price = limit), signed, in contracts."""

    instrument: Instrument
    quantity: Decimal
    price: float

    @property
    def n(self) -> float:
        return float(self.quantity) * self.instrument.contract_size


@dataclass(frozen=True)
class Leg:
    """The net amount of one instrument in an order set; ``n`` is quantity times contract size."""

    instrument: Instrument
    n: float


@dataclass(frozen=True)
class HedgeLimit:
    ratio: float = 1.0
    max_amount: float = math.inf


@dataclass(frozen=True)
class Book:
    """Everything a methodology reads of a book document."""

    as_of: datetime
    index: dict[str, float]
    fx: dict[str, float]
    account_id: str
    hedge_mode: str | None
    hedge_limits: dict[str, HedgeLimit]
    balances: dict[str, Decimal]
    positions: tuple[Row, ...]
    orders: tuple[Row, ...]

    def cash(self, currency: str) -> Decimal:
        return self.balances.get(currency, Decimal(0))

    def limit(self, coin: str) -> HedgeLimit:
        return self.hedge_limits.get(coin, HedgeLimit())

    @property
    def derivative_orders(self) -> tuple[Row, ...]:
        return tuple(row for row in self.orders if not row.instrument.is_spot)

    @property
    def spot_orders(self) -> tuple[Row, ...]:
        return tuple(row for row in self.orders if row.instrument.is_spot)


def read_book(document: Json) -> Book:
    """Take a valid book document apart."""
    market, account = document["market"], document["account"]
    instruments = {item["id"]: read_instrument(item) for item in market["instruments"]}
    return Book(
        as_of=datetime.fromisoformat(document["as_of"]),
        index={name: float(price) for name, price in market["index"].items()},
        fx={"USD": 1.0} | {currency: float(rate) for currency, rate in market.get("fx", {}).items()},
        account_id=account["id"],
        hedge_mode=account.get("hedge_mode"),
        hedge_limits={coin: read_limit(limit) for coin, limit in (account.get("hedge_limits") or {}).items()},
        balances={currency: exact(amount) for currency, amount in account.get("balances", {}).items()},
        positions=tuple(read_position(item, instruments) for item in account.get("positions", [])),
        orders=tuple(read_order(item, instruments) for item in account.get("orders", [])),
    )


def read_instrument(item: Json) -> Instrument:
    expiry = item.get("expiry")
    return Instrument(
        id=item["id"],
        kind=item["kind"],
        underlying=item["underlying"],
        settle=item["settle"],
        contract_size=float(item.get("contract_size", 1)),
        mark=float(item.get("mark", 0)),
        inverse=item.get("style") == "inverse",
        expiry=datetime.fromisoformat(expiry) if expiry else None,
        strike=float(item.get("strike", 0)),
        option_type=item.get("option_type", ""),
        mark_iv=float(item.get("mark_iv", 0)),
        forward=float(item.get("forward", 0)),
    )


def read_limit(item: Json) -> HedgeLimit:
    ratio, amount = item.get("ratio"), item.get("max_amount")
    return HedgeLimit(
        ratio=1.0 if ratio is None else float(ratio),
        max_amount=math.inf if amount is None else float(amount),
    )


def read_position(item: Json, instruments: Mapping[str, Instrument]) -> Row:
    return Row(instruments[item["instrument"]], exact(item["quantity"]), float(item["entry_price"]))


def read_order(item: Json, instruments: Mapping[str, Instrument]) -> Row:
    quantity = exact(item["quantity"])
    signed = quantity if item["side"] == "buy" else quantity.copy_negate()
    return Row(instruments[item["instrument"]], signed, float(item["price"]))


def exact(number: str | float) -> Decimal:
    """The decimal a JSON number or decimal string spells."""
    return Decimal(str(number))


def add_exactly(amounts: Iterable[Decimal]) -> Decimal:
    """Sum without the rounding of the ambient decimal context."""
    total = Decimal(0)
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def net_quantities(rows: Iterable[Row]) -> dict[str, Decimal]:
    """Net contracts by instrument id."""
    net: dict[str, Decimal] = {}
    for row in rows:
        net[row.instrument.id] = EXACT.add(net.get(row.instrument.id, Decimal(0)), row.quantity)
    return net


def net_legs(rows: Iterable[Row]) -> list[Leg]:
    """Rows added up by instrument, sorted by instrument id."""
    rows = list(rows)
    instruments = {row.instrument.id: row.instrument for row in rows}
    net = net_quantities(rows)
    return [Leg(instruments[id_], float(net[id_]) * instruments[id_].contract_size) for id_ in sorted(net)]
