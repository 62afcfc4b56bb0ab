"""What a venue tells of an order by itself, instead of being asked: booked like any other report."""

from datetime import datetime

from accounts.choices import LedgerKind
from accounts.services.changes import account_changing
from liquidation import selectors
from liquidation.choices import CaseState
from liquidation.errors import VenueFault
from liquidation.execution.port import Report
from liquidation.models import LiquidationCase, LiquidationOrder
from liquidation.services.cases import CASE_CHANGED, case_quarantine
from liquidation.services.reporting import report_book
from pmplatform.common.errors import Conflict, NotFound
from pmplatform.common.locking import rows_lock
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor


def execution_report(*, report: Report, actor: Actor, now: datetime) -> tuple[LiquidationOrder, int]:
    """Book what a venue reports of an order; returns the order and how many fills were news.

    No claim is needed: each fill is booked once by its name, and only under the lock of its account. The
    step itself is concluded by a worker, which is woken.

    Raises
    ------
    NotFound, LockTimeout
    Conflict
        When the report cannot be true: nothing of it is booked, and the case waits for a person.
    """
    order = selectors.order_by_key(report.key)
    if order is None:
        raise NotFound("There is no order with this key.")
    try:
        return order, _book(order, report, actor, now)
    except VenueFault as fault:
        case_quarantine(case_id=order.step.case_id, reason=str(fault), now=now)
        raise Conflict(str(fault)) from fault


def _book(order: LiquidationOrder, report: Report, actor: Actor, now: datetime) -> int:
    account_id, case_id = order.step.case.account_id, order.step.case_id
    with account_changing(account_id=account_id, kind=LedgerKind.LIQUIDATION, actor=actor, now=now) as change:
        # Account before case, as the workers take them.
        [case] = rows_lock(queryset=LiquidationCase.objects.all(), ids=[case_id])
        before = order.status
        news = report_book(change, order.step, order, report)
        if case.state in (CaseState.WORKING, CaseState.PAUSED) and (news or order.status != before):
            case.due_at = now
            case.save(update_fields=["due_at"])
            outbox_append(topic=CASE_CHANGED, payload={"case": case_id, "account": account_id})
    return news
