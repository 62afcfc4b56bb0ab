"""Orders at a venue that has to be waited for: marked, sent, asked for by key, booked as fills are known."""

from django.db import transaction

from liquidation import selectors
from liquidation.choices import ENDED, CaseState, OrderStatus
from liquidation.errors import StepBlocked, VenueSilent
from liquidation.execution.port import ExecutionPort, Report
from liquidation.models import LiquidationOrder, LiquidationStep
from liquidation.queue import Claim, case_hold
from liquidation.services.controls import controls_share, modes_check
from liquidation.services.effects import step_conclude
from liquidation.services.orders import order_request
from liquidation.services.reporting import report_book
from liquidation.services.steps import Clock, case_changing
from pmplatform.common.locking import transaction_idle_limit

_REFUSED = "The venue has traded nothing of the step's orders."


def orders_work(*, claim: Claim, step: LiquidationStep, port: ExecutionPort, clock: Clock) -> None:
    """Send the step's orders that are not sent, ask for the others, and book what each has traded.

    Each answer is booked before the next order is sent or asked for, and the step is done when all have
    ended. An order is sent again only where the venue says that it does not know it, and under the same key.

    Raises
    ------
    VenueSilent
        When the fate of an order is not known yet, or nothing was traded: another attempt follows.
    VenueFault
        When the venue's answer cannot be true.
    StaleClaim, LockTimeout
    """
    silent: list[str] = []
    for order in selectors.step_orders(step):
        if order.status in ENDED:
            continue
        try:
            report = _order_work(claim, step, order, port, clock)
        except VenueSilent as error:
            silent.extend(error.reasons)
            continue
        if report is not None:
            _report_book(claim, step, order, report, clock)
            if order.status not in ENDED:
                silent.append(f"Order {order.key[:8]} is still open at the venue.")
    if silent:
        raise VenueSilent(silent)
    if not _step_conclude(claim, step, clock):
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


def _report_book(
    claim: Claim, step: LiquidationStep, order: LiquidationOrder, report: Report, clock: Clock
) -> None:
    with case_changing(claim=claim, clock=clock) as (change, _):
        report_book(change, step, order, report)


def _step_conclude(claim: Claim, step: LiquidationStep, clock: Clock) -> bool:
    with case_changing(claim=claim, clock=clock) as (change, case):
        return step_conclude(change, case, step)
