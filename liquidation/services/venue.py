"""Orders at a venue that has to be waited for: marked, sent, asked for by key, booked when all have ended."""

from collections.abc import Iterable

from django.db import transaction

from liquidation import selectors
from liquidation.choices import CaseState, OrderStatus
from liquidation.errors import StepBlocked, VenueSilent
from liquidation.execution.port import ExecutionPort, Report, ReportStatus
from liquidation.models import LiquidationOrder, LiquidationStep
from liquidation.queue import Claim, case_hold
from liquidation.services.controls import controls_share, modes_check
from liquidation.services.effects import Executed, step_conclude
from liquidation.services.orders import order_request
from liquidation.services.steps import Clock, case_changing
from pmplatform.common.locking import transaction_idle_limit

_REFUSED = "The venue has traded nothing of the step's orders."


def orders_work(*, claim: Claim, step: LiquidationStep, port: ExecutionPort, clock: Clock) -> None:
    """Send the step's orders that are not sent, ask for the others, and book them when all have ended.

    An order is sent again only where the venue says that it does not know it, and under the same key.

    Raises
    ------
    VenueSilent
        When the fate of an order is not known yet, or nothing was traded: another attempt follows.
    VenueFault
        When the venue's answer cannot be true.
    StaleClaim, LockTimeout
    """
    executed: list[Executed] = []
    silent: list[str] = []
    for order in selectors.step_orders(step):
        try:
            executed.append(Executed(order, _order_work(claim, step, order, port, clock)))
        except VenueSilent as error:
            silent.extend(error.reasons)
    open_ones = [part for part in executed if part.report and part.report.status is ReportStatus.OPEN]
    silent.extend(f"Order {part.order.key[:8]} is still open at the venue." for part in open_ones)
    if silent:
        raise VenueSilent(silent)
    if not _orders_book(claim, step, executed, clock):
        raise VenueSilent([_REFUSED])


def _order_work(
    claim: Claim, step: LiquidationStep, order: LiquidationOrder, port: ExecutionPort, clock: Clock
) -> Report | None:
    """What has become of an order; None for one that was not sent, and is not any more."""
    if order.status == OrderStatus.SENT:
        report = port.ask(order.key)
        if report is not None:
            return report
        if not _order_release(claim, step, order, clock):
            raise VenueSilent([f"Order {order.key[:8]} is unknown to the venue, and may not be sent now."])
    elif not _order_release(claim, step, order, clock):
        return None
    return port.send(order_request(order))


def _order_release(claim: Claim, step: LiquidationStep, order: LiquidationOrder, clock: Clock) -> bool:
    """Mark an order as sent, in a transaction that reads again whether it may be; False where it may not."""
    with transaction.atomic():
        transaction_idle_limit()
        case = case_hold(claim)
        if case.state != CaseState.WORKING or not _is_allowed(step, clock):
            return False
        order.status = OrderStatus.SENT
        order.save(update_fields=["status"])
    return True


def _is_allowed(step: LiquidationStep, clock: Clock) -> bool:
    try:
        controls_share(now=clock())
        modes_check(step.underlyings)
    except StepBlocked:
        return False
    return True


def _orders_book(claim: Claim, step: LiquidationStep, executed: Iterable[Executed], clock: Clock) -> bool:
    with case_changing(claim=claim, clock=clock) as (change, case):
        return step_conclude(change, case, step, list(executed))
