"""The `account` object of a book document: balances, positions, orders, hedge limits (spec 01, section 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from margin.engine.book import UNLIMITED, HedgeMode
from margin.engine.documents.market import PRICE, PRICE_OR_ZERO, SIZE_CEILING, MarketRows
from margin.engine.documents.schema import (
    Exact,
    Faults,
    ListOf,
    MapOf,
    Nullable,
    Number,
    Record,
    Spec,
    Text,
    child,
)
from margin.engine.instruments import Instrument, Kind

#: The hedge modes of each methodology, its default first. `standard` takes any and ignores it.
HEDGE_MODES: Final[dict[str, tuple[str, ...]]] = {
    "okx-2025": ("spot_hedge",),
    "okx-classic": ("derivatives_only", "spot_usdt", "spot_usdc", "spot_crypto"),
    "bybit-uta": ("derivatives_only", "spot_hedge"),
    "standard": ("derivatives_only", "spot_hedge", "spot_usdt", "spot_usdc", "spot_crypto"),
}


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a purchase, -1 for a sale."""
        return 1 if self is Side.BUY else -1


@dataclass(frozen=True, slots=True)
class PositionRow:
    instrument: str
    quantity: Decimal
    entry_price: float


@dataclass(frozen=True, slots=True)
class OrderRow:
    instrument: str
    side: Side
    quantity: Decimal
    price: float


@dataclass(frozen=True, slots=True)
class HedgeLimitRow:
    """The holder's own limit on spot in use of one coin."""

    ratio: float = 1.0
    max_amount: float = UNLIMITED


@dataclass(frozen=True, slots=True)
class AccountRows:
    """An account as it was read, in document order."""

    id: str
    hedge_mode: HedgeMode
    balances: Mapping[str, Decimal]
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]
    hedge_limits: Mapping[str, HedgeLimitRow]


_POSITION: Final = Record(
    {"instrument": Text(), "quantity": Exact(), "entry_price": PRICE_OR_ZERO}, build=PositionRow
)
_ORDER: Final = Record(
    {
        "instrument": Text(),
        "side": Text(tuple(Side)),
        "quantity": Exact(Number(above=0.0)),
        "price": PRICE_OR_ZERO,
    },
    build=lambda instrument, side, quantity, price: OrderRow(instrument, Side(side), quantity, price),
)
_HEDGE_LIMIT: Final = Record(
    {},
    {
        "ratio": (Number(at_least=0.0, at_most=1.0), 1.0),
        "max_amount": (Nullable(Number(at_least=0.0), UNLIMITED), UNLIMITED),
    },
    build=HedgeLimitRow,
)
#: What an account holds, and what a what-if adds to it.
HOLDINGS: Final[dict[str, tuple[Spec, Any]]] = {
    "balances": (MapOf(Exact()), {}),
    "positions": (ListOf(_POSITION), ()),
    "orders": (ListOf(_ORDER), ()),
}
_SHAPE: Final = Record(
    {"id": Text()},
    {"hedge_mode": (Nullable(Text()), None), "hedge_limits": (MapOf(_HEDGE_LIMIT), {}), **HOLDINGS},
)


def read_hedge_mode(name: str | None, methodology: str, path: str, faults: Faults) -> HedgeMode:
    """The named mode, or the methodology's default for None; a fault where the methodology lacks it."""
    modes = HEDGE_MODES[methodology]
    if name is None:
        return HedgeMode[modes[0].upper()]
    if name not in modes:
        faults.add(path, f"must be one of {', '.join(modes)} for {methodology}")
        return HedgeMode[modes[0].upper()]
    return HedgeMode[name.upper()]


def read_account(
    value: Any, methodology: str, market: MarketRows, path: str, faults: Faults
) -> AccountRows | None:
    """The account object at `path`, checked against the market's instruments; None where it is at fault."""
    before = len(faults)
    fields = _SHAPE.read(value, path, faults)
    if fields is None or len(faults) > before:
        return None
    mode = read_hedge_mode(fields.pop("hedge_mode"), methodology, child(path, "hedge_mode"), faults)
    account = AccountRows(hedge_mode=mode, **fields)
    check_holdings(account.positions, account.orders, market, path, faults)
    return account if len(faults) == before else None


def check_holdings(
    positions: Sequence[PositionRow],
    orders: Sequence[OrderRow],
    market: MarketRows,
    path: str,
    faults: Faults,
) -> None:
    """A fault for every row of the object at `path` that does not fit an instrument alive in the market."""
    for i, position in enumerate(positions):
        _check_position(position, market, f"{path}.positions[{i}]", faults)
    for i, order in enumerate(orders):
        _check_order(order, market, f"{path}.orders[{i}]", faults)


def _listed(name: str, market: MarketRows, path: str, faults: Faults) -> Instrument | None:
    """The named instrument when it is listed and alive; faults otherwise."""
    place = market.places.get(name)
    if place is None:
        faults.add(f"{path}.instrument", f"unknown instrument {name}")
        return None
    instrument = market.instruments[place]
    if instrument.expiry is not None and instrument.expiry <= market.as_of:
        faults.add(
            f"market.instruments[{place}].expiry", "is not after as_of, and the book holds the instrument"
        )
        return None
    return instrument


def _check_size(quantity: Decimal, instrument: Instrument, path: str, faults: Faults) -> None:
    if abs(float(quantity) * instrument.contract_size) > SIZE_CEILING:
        faults.add(f"{path}.quantity", f"times contract_size must not exceed {SIZE_CEILING:g}")


def _check_position(position: PositionRow, market: MarketRows, path: str, faults: Faults) -> None:
    instrument = _listed(position.instrument, market, path, faults)
    if instrument is None:
        return
    if instrument.kind is Kind.SPOT:
        faults.add(f"{path}.instrument", "is a spot instrument: a spot holding is a balance")
        return
    _check_size(position.quantity, instrument, path, faults)
    if instrument.kind is not Kind.OPTION:
        PRICE.read(position.entry_price, f"{path}.entry_price", faults)


def _check_order(order: OrderRow, market: MarketRows, path: str, faults: Faults) -> None:
    instrument = _listed(order.instrument, market, path, faults)
    if instrument is None:
        return
    _check_size(order.quantity, instrument, path, faults)
    if instrument.kind is not Kind.OPTION:
        PRICE.read(order.price, f"{path}.price", faults)
