"""The end of a step: its orders have ended, what goes with their fills is booked, and it is done."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from accounts.services.changes import AccountChange
from liquidation import planning, selectors
from liquidation.choices import ENDED, OrderStatus, StepState
from liquidation.models import LiquidationCase, LiquidationOrder, LiquidationStep
from liquidation.planner.amounts import ZERO, down
from liquidation.planner.document import figures_document
from liquidation.planner.plan import StepKind, Trigger
from liquidation.services.booking import Booking, effects_read, effects_text
from liquidation.services.cases import case_tell
from margin.services.books import stored_book
from pmplatform.common.decimals import EXACT

_WHOLE: Final = Decimal(1)


def step_conclude(change: AccountChange, case: LiquidationCase, step: LiquidationStep) -> bool:
    """Make a held case's step done, whose orders have ended; one that was never sent ends here.

    Currencies are exchanged as far as the least filled order went: the two are one hedge. Returns False
    where there were orders and nothing was traded: then the step is still to be taken, by other orders.
    """
    step.refresh_from_db(fields=["effects"])
    orders = selectors.step_orders(step)
    for order in orders:
        if order.status not in ENDED:
            order.status, order.ended_at = OrderStatus.CANCELLED, change.now
            order.save(update_fields=["status", "ended_at"])
    filled = selectors.orders_filled(orders)
    if orders and not any(filled.values()):
        case.refusals += 1
        case.save()
        return False
    booking = Booking(change, effects_read(step.effects))
    if step.kind == StepKind.CANCEL_ORDERS:
        booking.cancel_orders()
    _exchange(booking, step, _share(orders, filled))
    _done(change, case, step, booking)
    return True


def _share(orders: Sequence[LiquidationOrder], filled: dict[int, Decimal]) -> Decimal:
    """How much of the least filled order was traded; all where there is none."""
    return min((filled.get(order.pk, ZERO) / order.quantity for order in orders), default=_WHOLE)


def _exchange(booking: Booking, step: LiquidationStep, share: Decimal) -> None:
    for exchange in step.conversions:
        booking.move(exchange["sell"], down(EXACT.multiply(Decimal(exchange["amount"]), share)).copy_negate())
        booking.move(exchange["buy"], down(EXACT.multiply(Decimal(exchange["received"]), share)))


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
