"""Cases worked on paper: the steps of the plan, each in a transaction of its own, and nothing else."""

from decimal import Decimal

import pytest

from accounts.models import Account, Balance, Fill, LedgerEntry, Order, Position
from accounts.verification import ledger_mismatches
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.paper import PaperPort
from liquidation.models import LiquidationOrder
from liquidation.services import work
from liquidation.services.cases import case_open
from pmplatform.common.models import AuditRow, Event
from tests.liquidation.queue import support
from tests.liquidation.queue.support import SWAP, at, case_of, clock, directional, stored, worked
from tests.liquidation.support import plan
from tests.margin.engine.support import book, position

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("invariants_hold")]


def test_a_case_takes_the_steps_of_the_plan_and_is_closed_when_safe() -> None:
    planned = plan(directional())
    case = case_of(directional())
    assert worked() == 1
    case.refresh_from_db()
    assert (case.state, case.outcome, case.residuals) == (CaseState.CLOSED, CaseOutcome.SAFE, {})
    taken = support.steps(case)
    assert [step.kind for step in taken] == ["close", "close"]
    for step, meant in zip(taken, planned["steps"], strict=True):
        assert (step.trades, step.before, step.after) == (meant["trades"], meant["before"], meant["after"])
        assert step.reached == meant["after"]
    # 3 and 2 of 10 contracts at 100,000, each for 0.05 %.
    assert Position.objects.get().quantity == 5
    assert Balance.objects.get(currency="USDT").amount == 69_750
    assert not Account.objects.get().in_liquidation


def test_a_step_writes_order_fill_ledger_audit_and_event_together() -> None:
    case = case_of(directional())
    worked()
    first, second = LiquidationOrder.objects.order_by("id")
    assert (first.side, first.quantity, first.status) == ("sell", 3, "filled")
    assert first.limit_price == Decimal(98_000)
    assert first.key != second.key
    assert [fill.fill.quantity for fill in first.fills.all()] == [3]
    assert Fill.objects.count() == 2
    assert {row.kind for row in LedgerEntry.objects.filter(subject=f"position:{SWAP}")} == {
        "opening",
        "liquidation",
    }
    told = AuditRow.objects.filter(object_type="liquidation_case").order_by("id")
    assert [row.action.removeprefix("liquidation_case.") for row in told] == ["open", "step", "step", "close"]
    events = [event.data for event in Event.objects.filter(kind="liquidation").order_by("id")]
    assert [(event["steps"], event["state"]) for event in events] == [
        (0, "working"),
        (1, "working"),
        (2, "closed"),
    ]
    assert {event["case"] for event in events} == {case.pk}
    assert list(ledger_mismatches()) == []


def test_open_orders_are_cancelled_before_anything_is_traded() -> None:
    case = case_of(support.with_orders())
    worked()
    assert [step.kind for step in support.steps(case)][:2] == ["cancel_orders", "close"]
    assert Order.objects.get().state == "cancelled"


def test_an_account_has_one_live_case_and_another_after_it() -> None:
    [account] = stored(directional())
    first = support.opened(account)
    assert case_open(account_id=account.pk, evidence={}, now=at()) is None
    worked()
    first.refresh_from_db()
    assert first.state == CaseState.CLOSED


def test_an_account_above_its_threshold_gets_no_case() -> None:
    [account] = stored(directional(usdt=130_000))
    assert case_open(account_id=account.pk, evidence={}, now=at()) is None


def test_an_account_that_recovers_between_two_steps_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "STEPS_AT_ONCE", 1)
    document = directional()
    case = case_of(document)
    assert work.case_work(port=PaperPort(), clock=clock())
    # 7 coins are left; 5 % on each are 35,000 more, and 1.1 * 12,200 * 7 * 1.05 is 98,637.
    support.snapshot(document, 2, 1.05)
    worked(3)
    case.refresh_from_db()
    assert (case.outcome, case.steps_done) == (CaseOutcome.SAFE, 1)
    assert Position.objects.get().quantity == 7


def test_the_most_urgent_case_goes_first() -> None:
    first, second = stored(directional(), directional(usdt=40_000))
    support.opened(first)
    urgent = support.opened(second)
    assert support.claimed().case_id == urgent.pk


@pytest.mark.parametrize("usdt", ["70000", "33000.123456789"])
def test_execution_on_paper_is_the_dry_run(usdt: str) -> None:
    document = book([position(SWAP, 10, 103_000.7)], balances={"USDT": usdt, "BTC": "0.1"})
    planned = plan(document)
    case = case_of(document)
    worked()
    assert [step.trades for step in support.steps(case)] == [step["trades"] for step in planned["steps"]]
    cash = {row.currency: row.amount for row in Balance.objects.all() if row.amount}
    assert cash == {name: Decimal(text) for name, text in planned["account"]["balances"].items()}
