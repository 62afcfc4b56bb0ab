"""Exactly once: whatever kills, stops or repeats a worker, each step has had its effect once."""

from decimal import Decimal

import pytest

from accounts.models import Account, Balance, Position
from liquidation.choices import CaseOutcome
from liquidation.models import LiquidationCase, LiquidationFill, LiquidationOrder, LiquidationStep
from pmplatform.common.models import AuditRow
from tests.liquidation.queue import dying
from tests.liquidation.queue.dying import PAPER_POINTS, VENUE_POINTS
from tests.liquidation.queue.support import SWAP, directional, opened, stored, worked
from tests.liquidation.queue.venues import check_effects_equal_steps, venue
from tests.support.ending import DEAD, killed_at, stopped_at
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

#: When a lease of the first worker is over, and its market not too old yet.
LATER = 70.0


def cases(count: int) -> list[LiquidationCase]:
    """Cases of as many accounts, all alike."""
    return [opened(account) for account in stored(*[directional() for _ in range(count)])]


def check_as_if_nothing_had_happened(count: int) -> None:
    """Every case is closed by two steps, three and two contracts sold, each written, told and paid once."""
    check_effects_equal_steps()
    assert [case.outcome for case in LiquidationCase.objects.all()] == [CaseOutcome.SAFE] * count
    for rows in (LiquidationStep, LiquidationOrder, LiquidationFill):
        assert rows.objects.count() == 2 * count
    assert AuditRow.objects.filter(action="liquidation_case.step").count() == 2 * count
    assert {row.quantity for row in Position.objects.all()} == {5}
    assert {row.amount for row in Balance.objects.filter(currency="USDT")} == {69_750}
    assert not Account.objects.filter(in_liquidation=True).exists()


def test_workers_killed_at_every_point_of_a_step_leave_a_whole_step_or_none() -> None:
    points = list(PAPER_POINTS)
    cases(len(points))
    assert killed_at(dying.__name__, points) == dict.fromkeys(points, DEAD)
    done = dict(LiquidationCase.objects.order_by("id").values_list("id", "steps_done"))
    # The point after the commit is the only one that leaves a step behind.
    assert list(done.values()) == [0] * (len(points) - 1) + [1]
    worked(LATER)
    check_as_if_nothing_had_happened(len(points))


def test_workers_killed_while_a_venue_trades_leave_each_order_traded_and_booked_once() -> None:
    points = list(VENUE_POINTS)
    cases(len(points))
    with venue("honest") as running:
        assert killed_at(dying.__name__, points, "--url", running.url) == dict.fromkeys(points, DEAD)
        worked(LATER, running.execution)
        traded = running.executions()
    check_effects_equal_steps(traded)
    assert {case.outcome for case in LiquidationCase.objects.all()} == {CaseOutcome.SAFE}


@pytest.mark.parametrize(("asked_before", "known"), [(False, "1.5"), (True, "3")])
def test_a_worker_killed_between_partial_answers_leaves_booked_what_was_known(
    asked_before: bool, known: str
) -> None:
    cases(1)
    with venue("slow") as running:
        if asked_before:
            worked(1, running.execution)
        point, seconds = "report committed", "10" if asked_before else "1"
        assert killed_at(dying.__name__, [point], "--url", running.url, "--seconds", seconds) == {point: DEAD}
        step = LiquidationStep.objects.get()
        assert (step.state, step.effects[f"position:{SWAP}"]) == ("planned", f"-{known}")
        assert Position.objects.get().quantity == 10 - Decimal(known)
        # Whoever comes next books what is left, and no fill again.
        for later in range(int(LATER) + 10, 119, 6):
            worked(later, running.execution)
        traded = running.executions()
    check_effects_equal_steps(traded)
    assert LiquidationCase.objects.get().outcome == CaseOutcome.SAFE


@pytest.mark.parametrize("point", ["step committed", "case claimed"])
def test_a_zombie_past_its_lease_does_nothing_any_more(point: str) -> None:
    cases(1)
    with stopped_at(dying.__name__, point) as go_on:
        worked(LATER)
        go_on()
    check_as_if_nothing_had_happened(1)


def test_a_worker_that_stops_within_a_transaction_loses_it_and_others_go_on() -> None:
    cases(1)
    with stopped_at(dying.__name__, "step done") as go_on:
        # The database gives up on the stopped one before its lease ends.
        wait_until(lambda: worked(LATER) > 0 and LiquidationCase.objects.get().outcome is not None)
        go_on()
    check_as_if_nothing_had_happened(1)


def zombie_at_a_venue(*words: str) -> dict[str, Decimal]:
    """A worker stops with the venue's answer in its hands, another finishes, and the first one goes on."""
    with venue("honest") as running:
        with stopped_at(dying.__name__, "order answered", "--url", running.url, *words) as go_on:
            later = ("--url", running.url, "--seconds", str(LATER), *words)
            assert killed_at(dying.__name__, [dying.NEVER], *later) == {dying.NEVER: 0}
            go_on()
        return running.executions()


def test_a_zombie_with_the_venues_answer_in_its_hands_books_nothing_twice() -> None:
    cases(1)
    traded = zombie_at_a_venue()
    check_effects_equal_steps(traded)
    assert LiquidationCase.objects.get().outcome == CaseOutcome.SAFE


def test_without_fence_and_key_the_same_fault_trades_twice() -> None:
    cases(1)
    traded = zombie_at_a_venue("--without-guards")
    with pytest.raises(AssertionError):
        check_effects_equal_steps(traded)
