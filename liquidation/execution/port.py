"""The port through which orders leave: what is asked of a venue, and what it answers."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class ReportStatus(StrEnum):
    """An order that is `open` may still trade; the others are ends."""

    OPEN = "open"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An immediate-or-cancel limit order. `key` is its name at the venue: sent twice, it is one order.

    `mark`, `fee` and `fee_currency` are what the plan expects; a venue need not look at them.
    """

    key: str
    instrument: str
    side: str
    quantity: Decimal
    limit_price: Decimal
    mark: Decimal
    fee: Decimal
    fee_currency: str


@dataclass(frozen=True, slots=True)
class VenueFill:
    """A trade at the venue, by its name there."""

    id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that has become of an order so far: its fills are the whole list, not the news."""

    key: str
    status: ReportStatus
    fills: tuple[VenueFill, ...]


class ExecutionPort(Protocol):
    """A venue."""

    @property
    def is_immediate(self) -> bool:
        """Whether `send` waits for nobody, so that it may be called in a transaction."""
        ...

    def send(self, order: OrderRequest) -> Report:
        """Place an order, and say what became of it; VenueSilent where that is not known."""
        ...

    def ask(self, key: str) -> Report | None:
        """What has become of an order; None where the venue knows no such key; VenueSilent, VenueFault."""
        ...
