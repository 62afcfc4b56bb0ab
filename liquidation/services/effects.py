"""The end of a step: what was traded is booked, and the step is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.choices import OrderSide
from accounts.documents import FillDocument
from accounts.services.changes import AccountChange
from liquidation import planning
from liquidation.choices import OrderStatus, StepState
from liquidation.errors import VenueFault
from liquidation.execution.port import Report, ReportStatus, VenueFill
from liquidation.models import LiquidationCase, LiquidationFill, LiquidationOrder, LiquidationStep
from liquidation.planner.amounts import ZERO, down
from liquidation.planner.document import figures_document
from liquidation.planner.plan import StepKind, Trigger
from liquidation.services.booking import Booking, effects_text
from liquidation.services.cases import case_tell
from margin.services.books import stored_book
from pmplatform.common.decimals import EXACT, decimal_text
from pmplatform.common.digest import sha256_hex

_ENDS: Final = {
    ReportStatus.FILLED: OrderStatus.FILLED,
    ReportStatus.CANCELLED: OrderStatus.CANCELLED,
    ReportStatus.REJECTED: OrderStatus.REJECTED,
}
_WHOLE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Executed:
    """An order and all that has become of it, or None where it was never sent."""

    order: LiquidationOrder
    report: Report | None

    @property
    def fills(self) -> tuple[VenueFill, ...]:
        """The fills, each once.

        Raises
        ------
        VenueFault
            When they exceed the order, are worse than its limit, or differ under one name.
        """
        if self.report is None:
            return ()
        once = {fill.id: fill for fill in self.report.fills}
        name = f"order {self.order.key[:8]}"
        if set(once.values()) != set(self.report.fills):
            raise VenueFault(f"Two different fills of {name} have the same name.")
        if any(fill.quantity <= 0 or self._is_worse(fill.price) for fill in once.values()):
            raise VenueFault(f"A fill of {name} is empty, or worse than its limit.")
        if sum((fill.quantity for fill in once.values()), ZERO) > self.order.quantity:
            raise VenueFault(f"The fills of {name} exceed its {decimal_text(self.order.quantity)}.")
        return tuple(once.values())

    @property
    def filled(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), ZERO)

    def _is_worse(self, price: Decimal) -> bool:
        limit = self.order.limit_price
        return bool(price > limit if self.order.side == OrderSide.BUY else price < limit)


def step_conclude(
    change: AccountChange, case: LiquidationCase, step: LiquidationStep, executed: Sequence[Executed]
) -> bool:
    """Book what the ended orders of a held case's step have traded, and make the step done.

    Currencies are exchanged as far as the least filled order went: the two are one hedge. Returns False
    where orders were sent and nothing was traded: then the step is still to be taken, by other orders.

    Raises
    ------
    VenueFault
        When the reported fills cannot be true; nothing is booked then.
    """
    for part in executed:
        _order_end(change, part)
    if executed and not any(part.filled for part in executed):
        case.refusals += 1
        case.save()
        return False
    booking = Booking(change)
    _book(booking, step, executed)
    _done(change, case, step, booking)
    return True


def _order_end(change: AccountChange, part: Executed) -> None:
    order, report = part.order, part.report
    order.status = _ENDS[report.status] if report else OrderStatus.CANCELLED
    order.ended_at = change.now
    order.save(update_fields=["status", "ended_at"])


def _book(booking: Booking, step: LiquidationStep, executed: Sequence[Executed]) -> None:
    if step.kind == StepKind.CANCEL_ORDERS:
        booking.cancel_orders()
    for part in executed:
        for fill in part.fills:
            recorded = booking.trade(_fill_document(part.order, fill))
            LiquidationFill.objects.create(order=part.order, fill_id=recorded, venue_id=fill.id)
    share = min((part.filled / part.order.quantity for part in executed), default=_WHOLE)
    for exchange in step.conversions:
        booking.move(exchange["sell"], down(EXACT.multiply(Decimal(exchange["amount"]), share)).copy_negate())
        booking.move(exchange["buy"], down(EXACT.multiply(Decimal(exchange["received"]), share)))


def _fill_document(order: LiquidationOrder, fill: VenueFill) -> FillDocument:
    return FillDocument(
        instrument=order.instrument.code,
        side=order.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        client_id=sha256_hex(f"{order.key}:{fill.id}".encode()),
    )


def _done(change: AccountChange, case: LiquidationCase, step: LiquidationStep, booking: Booking) -> None:
    book, _ = stored_book(account_id=case.account_id)
    reached = planning.standing(book, Trigger(case.trigger)).initial
    step.state, step.done_at = StepState.DONE, change.now
    step.reached, step.effects = figures_document(reached), effects_text(booking.effects)
    step.save()
    case.steps_done, case.deficit_usd = step.number, reached.deficit
    case.attempts, case.failure = 0, ""
    case.save()
    case_tell(case, actor=change.actor, action="step", before=case.state)
