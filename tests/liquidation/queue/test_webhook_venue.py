"""Execution at a venue of one's own: a real HTTP server that times out, fills twice, partly or not at all."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from accounts.choices import LedgerKind
from accounts.models import Position
from accounts.services.changes import account_changing
from liquidation.choices import CaseOutcome, CaseState
from liquidation.errors import VenueFault
from liquidation.execution.port import Report, ReportStatus, VenueFill
from liquidation.execution.webhook import WebhookPort
from liquidation.models import LiquidationOrder, LiquidationStep
from liquidation.services import cases, work
from liquidation.services.controls import controls_set
from liquidation.services.reporting import report_book
from tests.liquidation.queue import support
from tests.liquidation.queue.support import OFFICER, at, case_of, clock, directional, worked
from tests.liquidation.queue.venues import RunningVenue, check_effects_equal_steps, venue

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.usefixtures("invariants_hold"),
]


def worked_through(running: RunningVenue) -> None:
    """Have a worker try again and again, as the minutes pass."""
    for seconds in range(1, 100, 12):
        worked(seconds, running.execution)


@pytest.mark.parametrize("manner", ["honest", "late", "deaf", "twice", "partly", "slow", "choosy"])
def test_whatever_a_venue_does_every_order_is_traded_and_booked_once(manner: str) -> None:
    case = case_of(directional())
    with venue(manner) as running:
        worked_through(running)
        traded = running.executions()
    case.refresh_from_db()
    assert (case.state, case.outcome) == (CaseState.CLOSED, CaseOutcome.SAFE)
    check_effects_equal_steps(traded)
    # At 2 % below mark each contract costs 2,000 more than on paper, so more of the ten are sold.
    sold = sum(traded.values())
    assert Position.objects.get().quantity == 10 - sold
    assert sold >= 5


def test_fills_are_booked_at_their_price_and_fee_within_the_price_band() -> None:
    case = case_of(directional())
    with venue("honest") as running:
        worked_through(running)
    order = LiquidationOrder.objects.earliest("id")
    [fill] = order.fills.all()
    assert (fill.fill.price, fill.fill.fee) == (Decimal(98_000), 1)
    assert order.mark == 100_000
    first = support.steps(case)[0]
    # 3 contracts of one coin at 2,000 below entry, and the venue's fee.
    assert Decimal(first.effects["balance:USDT"]) == -6_001
    assert first.reached is not None and first.after["deficit"] < first.reached["deficit"]


def test_a_partly_filled_step_counts_as_far_as_it_went_and_is_planned_anew() -> None:
    case = case_of(directional())
    with venue("partly") as running:
        worked(1, running.execution)
    first, second = support.steps(case)[:2]
    assert first.trades[0]["quantity"] == "3"
    assert first.effects[f"position:{support.SWAP}"] == "-1.5"
    assert first.reached is not None and second.before["deficit"] == first.reached["deficit"]


def test_what_is_filled_of_an_open_order_is_booked_before_the_rest_is_known() -> None:
    case = case_of(directional())
    with venue("slow") as running:
        worked(1, running.execution)
        case.refresh_from_db()
        [step] = support.steps(case)
        assert (case.steps_done, step.state, "still open" in case.failure) == (0, "planned", True)
        assert Position.objects.get().quantity == Decimal("8.5")
        assert step.effects == {f"position:{support.SWAP}": "-1.5", "balance:USDT": "-3001"}
        assert LiquidationOrder.objects.get().status == "sent"
        worked(10, running.execution)
    first = support.steps(case)[0]
    assert first.effects == {f"position:{support.SWAP}": "-3", "balance:USDT": "-6002"}
    assert LiquidationOrder.objects.earliest("id").fills.count() == 2


def report(order: LiquidationOrder, status: ReportStatus, **fills: str) -> Report:
    """A report whose fills have these names and quantities, at the limit."""
    told = [
        VenueFill(name, Decimal(text), order.limit_price, Decimal(1), "USDT") for name, text in fills.items()
    ]
    return Report(order.key, status, tuple(told))


OPEN, FILLED, CANCELLED = ReportStatus.OPEN, ReportStatus.FILLED, ReportStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "fills", "words"),
    [
        (FILLED, {"a": "1", "b": "1"}, "less than its 3"),
        (OPEN, {"a": "1", "b": "2.5"}, "exceed its 3"),
        (OPEN, {"a": "2"}, "same name"),
        (OPEN, {"b": "0"}, "empty"),
        (CANCELLED, {"b": "1"}, "lacks a fill"),
    ],
)
def test_a_report_that_contradicts_what_is_booked_is_not_believed(
    status: ReportStatus, fills: dict[str, str], words: str
) -> None:
    order, book = booked_by_reports()
    assert book(report(order, OPEN, a="1")) == 1
    with pytest.raises(VenueFault, match=words):
        book(report(order, status, **fills))
    assert Position.objects.get().quantity == 9


def test_reports_may_come_twice_and_out_of_turn_and_none_after_the_end() -> None:
    order, book = booked_by_reports()
    heard = [
        report(order, OPEN, a="1", b="1"),
        report(order, OPEN, a="1"),
        report(order, CANCELLED, a="1", b="1"),
    ]
    assert [book(each) for each in (*heard, *heard)] == [2, 0, 0, 0, 0, 0]
    assert order.status == "cancelled"
    with pytest.raises(VenueFault, match="after its end"):
        book(report(order, CANCELLED, a="1", b="1", c="1"))
    assert Position.objects.get().quantity == 8


def booked_by_reports() -> tuple[LiquidationOrder, Callable[[Report], int]]:
    """An order of three contracts that is out, and how a report of it is booked."""
    case = case_of(directional())
    claim = support.claimed()
    support.step_act(claim=claim, port=WebhookPort("http://127.0.0.1:9/orders", "s"), clock=clock())
    order = LiquidationOrder.objects.select_related("instrument", "step").get()

    def book(told: Report) -> int:
        with account_changing(
            account_id=case.account_id, kind=LedgerKind.LIQUIDATION, actor=OFFICER, now=at()
        ) as change:
            return report_book(change, order.step, order, told)

    return order, book


def test_a_rejected_order_is_followed_by_another_under_another_key() -> None:
    case = case_of(directional())
    with venue("choosy") as running:
        worked_through(running)
    case.refresh_from_db()
    assert case.refusals >= 1
    statuses = list(LiquidationOrder.objects.order_by("id").values_list("status", flat=True))
    assert statuses[:2] == ["rejected", "filled"]
    assert LiquidationOrder.objects.values("key").distinct().count() == len(statuses)


def test_fills_beyond_the_order_are_believed_by_nobody_and_a_person_has_to_look() -> None:
    case = case_of(directional())
    with venue("greedy") as running:
        worked(1, running.execution)
    case.refresh_from_db()
    assert (case.state, "exceed" in case.failure) == (CaseState.QUARANTINED, True)
    assert Position.objects.get().quantity == 10
    assert Position.objects.get().account.reduce_only


@pytest.mark.parametrize("manner", ["forged", "nobody"])
def test_what_is_not_signed_or_not_answered_is_no_fill_and_five_attempts_are_enough(manner: str) -> None:
    case = case_of(directional())
    with venue("forged") as running:
        port = running.execution if manner == "forged" else WebhookPort("http://127.0.0.1:9/orders", "s")
        for seconds in range(1, 100, 12):
            worked(seconds, port)
    assert work.cases_quarantine(clock=clock(110)) == 1
    case.refresh_from_db()
    assert (case.state, case.steps_done) == (CaseState.QUARANTINED, 0)
    assert Position.objects.get().quantity == 10
    assert LiquidationOrder.objects.get().status == "sent"


def test_with_the_kill_switch_on_an_order_that_is_not_out_yet_never_goes_out() -> None:
    case = case_of(directional())
    claim = support.claimed()
    with venue("honest") as running:
        port = running.execution
        support.step_act(claim=claim, port=port, clock=clock())
        controls_set(actor=OFFICER, reason="a drill", now=at(), kill_switch=True)
        worked(70, port)
        worked(74, port)
        assert running.executions() == {}
    case.refresh_from_db()
    assert "kill switch" in case.blocked
    assert LiquidationOrder.objects.get().status == "cancelled"
    assert LiquidationStep.objects.get().state == "planned"


def test_what_was_traded_is_booked_although_the_case_was_paused_meanwhile() -> None:
    case = case_of(directional())
    with venue("late") as running:
        port = running.execution
        worked(1, port)
        cases.case_pause(case_id=case.pk, reason="a question", actor=OFFICER, now=at(4))
        worked(8, port)
        traded = running.executions()
    case.refresh_from_db()
    assert (case.state, case.steps_done) == (CaseState.PAUSED, 1)
    assert Position.objects.get().quantity == 10 - sum(traded.values())
