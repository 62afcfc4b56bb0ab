"""The account part of a book document, with exact amounts: what a bulk load takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class HedgeLimitDocument:
    """The share of a coin's spot, in [0, 1], and the most of it in coins, that may hedge derivatives."""

    ratio: Decimal = Decimal(1)
    max_amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PositionDocument:
    """A signed quantity of contracts and its average entry price."""

    instrument: str
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True)
class OrderDocument:
    """An open order; ``side`` is ``buy`` or ``sell``, ``quantity`` positive."""

    instrument: str
    side: str
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class FillDocument:
    """A trade as it is reported; ``side`` is ``buy`` or ``sell``, ``quantity`` positive.

    A negative fee is a rebate. ``client_id`` is the reporter's name for it, empty for none; ``order_id`` the
    order it fills, if any.
    """

    instrument: str
    side: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    order_id: int | None = None
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class TransferDocument:
    """Cash that comes in or, negative, goes out."""

    currency: str
    amount: Decimal
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class AccountDocument:
    """Names are those of the document; nothing is checked before it is loaded."""

    id: str
    methodology: str
    hedge_mode: str | None = None
    hedge_limits: Mapping[str, HedgeLimitDocument] = field(default_factory=dict)
    balances: Mapping[str, Decimal] = field(default_factory=dict)
    positions: tuple[PositionDocument, ...] = ()
    orders: tuple[OrderDocument, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class InstrumentDocument:
    """A contract specification; the optional fields belong to some kinds only."""

    id: str
    kind: str
    underlying: str
    settle: str
    contract_size: Decimal = Decimal(1)
    style: str | None = None
    expiry: datetime | None = None
    strike: Decimal | None = None
    option_type: str | None = None
