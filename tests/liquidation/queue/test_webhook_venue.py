"""Execution at a venue of one's own: a real HTTP server that times out, fills twice, partly or not at all."""

from decimal import Decimal

import pytest

from accounts.models import Position
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.webhook import WebhookPort
from liquidation.models import LiquidationOrder, LiquidationStep
from liquidation.services import cases, work
from liquidation.services.controls import controls_set
from tests.liquidation.queue import support
from tests.liquidation.queue.support import OFFICER, at, case_of, clock, directional, worked
from tests.liquidation.queue.venues import RunningVenue, check_effects_equal_steps, venue

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults, pytest.mark.serial]


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
