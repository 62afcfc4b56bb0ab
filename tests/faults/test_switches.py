"""The kill switch is set in the middle of a cascade that real workers are at."""

import pytest
from django.utils import timezone

from liquidation.choices import CaseState
from liquidation.models import LiquidationCase, LiquidationStep
from liquidation.services.controls import controls_set
from pmplatform.common.errors import LockTimeout
from pmplatform.common.principals import Actor
from pmplatform.invariants.view import violations
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

OFFICER = Actor(name="officer", request_id="tests")


def kill_switch_set(*, on: bool) -> bool:
    """Whether it was set: a step that is under way is waited for, and the next one may be in the way."""
    try:
        controls_set(actor=OFFICER, reason="a drill", now=timezone.now(), kill_switch=on)
    except LockTimeout:
        return False
    return True


def steps_taken(on_stage: Stage) -> int:
    return LiquidationStep.objects.filter(case__account__in=on_stage.twins).count()


def is_blocked(on_stage: Stage) -> bool:
    """Whether a worker has tried each open case again, and was refused."""
    return not LiquidationCase.objects.filter(account__in=on_stage.twins, blocked="").exclude(
        state=CaseState.CLOSED
    )


def test_no_step_commits_once_the_kill_switch_is_on(staff: Crew, on_stage: Stage) -> None:
    staff.postgres.delay = 0.01
    staff.send("liquidation.tasks.work")
    wait_until(lambda: steps_taken(on_stage) > 0)
    wait_until(lambda: kill_switch_set(on=True))
    taken = steps_taken(on_stage)
    staff.heal()
    on_stage.announce()
    wait_until(lambda: is_blocked(on_stage), meanwhile=staff.sweep)
    assert steps_taken(on_stage) == taken
    assert violations() == []
    kill_switch_set(on=False)
    finish(staff, on_stage)
    assert steps_taken(on_stage) > taken
