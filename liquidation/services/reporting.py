"""What a venue reports of an order: believed or not, and booked fill by fill as it becomes known."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from accounts.choices import OrderSide
from accounts.documents import FillDocument
from accounts.services.changes import AccountChange
from liquidation import selectors
from liquidation.choices import ENDED, OrderStatus
from liquidation.errors import VenueFault
from liquidation.execution.port import Report, ReportStatus, VenueFill
from liquidation.models import LiquidationFill, LiquidationOrder, LiquidationStep
from liquidation.planner.amounts import ZERO
from liquidation.services.booking import Booking, effects_read, effects_text
from pmplatform.common.decimals import decimal_text
from pmplatform.common.digest import sha256_hex

_ENDS: Final = {
    ReportStatus.FILLED: OrderStatus.FILLED,
    ReportStatus.CANCELLED: OrderStatus.CANCELLED,
    ReportStatus.REJECTED: OrderStatus.REJECTED,
}


def report_book(change: AccountChange, step: LiquidationStep, order: LiquidationOrder, report: Report) -> int:
    """Book what a report of an order tells anew, within a change of its account; returns how many fills.

    A fill is booked once by its name, whoever reports it how often. The order ends with the report that says
    so; a report from before what is booked changes nothing.

    Raises
    ------
    VenueFault
        When the reported fills cannot be true; nothing of the report is booked then.
    """
    # Another report may have been booked since they were read.
    order.refresh_from_db(fields=["status"])
    step.refresh_from_db(fields=["effects"])
    booked = selectors.fills_booked(order)
    news = _news(order, report, booked)
    if news:
        booking = Booking(change, effects_read(step.effects))
        for fill in news:
            _fill_book(booking, order, fill)
        step.effects = effects_text(booking.effects)
        step.save(update_fields=["effects"])
    if report.status in _ENDS and order.status not in ENDED:
        order.status, order.ended_at = _ENDS[report.status], change.now
        order.save(update_fields=["status", "ended_at"])
    return len(news)


def _news(order: LiquidationOrder, report: Report, booked: Mapping[str, VenueFill]) -> list[VenueFill]:
    """The fills of a report that are not booked yet; VenueFault where the report cannot be true."""
    name = f"order {order.key[:8]}"
    reported = {fill.id: fill for fill in report.fills}
    known = {**reported, **booked}
    if any(known[fill.id] != fill for fill in report.fills):
        raise VenueFault(f"Two different fills of {name} have the same name.")
    news = [fill for fill_id, fill in reported.items() if fill_id not in booked]
    if any(fill.quantity <= 0 or _is_worse(order, fill.price) for fill in news):
        raise VenueFault(f"A fill of {name} is empty, or worse than its limit.")
    if news and order.status in ENDED:
        raise VenueFault(f"A fill of {name} is reported after its end.")
    if _sum(known.values()) > order.quantity:
        raise VenueFault(f"The fills of {name} exceed its {decimal_text(order.quantity)}.")
    if report.status is not ReportStatus.OPEN and booked.keys() - reported.keys():
        raise VenueFault(f"The last report of {name} lacks a fill that was reported before.")
    if report.status is ReportStatus.FILLED and _sum(known.values()) < order.quantity:
        raise VenueFault(f"The fills of {name} are less than its {decimal_text(order.quantity)}.")
    return news


def _sum(fills: Iterable[VenueFill]) -> Decimal:
    return sum((fill.quantity for fill in fills), ZERO)


def _is_worse(order: LiquidationOrder, price: Decimal) -> bool:
    limit = order.limit_price
    return bool(price > limit if order.side == OrderSide.BUY else price < limit)


def _fill_book(booking: Booking, order: LiquidationOrder, fill: VenueFill) -> None:
    recorded = booking.trade(
        FillDocument(
            instrument=order.instrument.code,
            side=order.side,
            quantity=fill.quantity,
            price=fill.price,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            client_id=sha256_hex(f"{order.key}:{fill.id}".encode()),
        )
    )
    LiquidationFill.objects.create(order=order, fill_id=recorded, venue_id=fill.id)
