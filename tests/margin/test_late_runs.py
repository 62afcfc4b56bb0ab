"""Runs that fail or never end: closed by the sweeper, and what that means for the platform."""

from datetime import timedelta

import pytest
from django.utils import timezone

from margin.choices import PartKind, RiskMode, RunReason, RunState
from margin.models import MarginRun, RiskState
from margin.services import parts, runs
from pmplatform.invariants.view import violations
from tests.margin.world import AS_OF, demo_world, newest_run

pytestmark = pytest.mark.django_db(transaction=True)


def started(reason: RunReason) -> MarginRun:
    demo_world(3)
    period = AS_OF.replace(minute=0) if reason == RunReason.HOURLY else None
    assert runs.run_start(reason=reason, period=period)
    return newest_run()


def test_a_run_past_its_deadline_is_closed_and_its_parts_write_nothing() -> None:
    run = started(RunReason.SNAPSHOT)
    part = run.parts.filter(kind=PartKind.STRESS).first()
    assert part is not None
    MarginRun.objects.update(created_at=timezone.now() - runs.DEADLINE - timedelta(seconds=1))
    assert parts.parts_sweep() == []
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert "within 0:15:00" in run.failure
    assert parts.part_claim(part_id=part.pk, kind=PartKind.STRESS) is None
    assert not RiskState.objects.filter(mode=RiskMode.HOLD).exists()


def test_a_failed_hourly_run_holds_the_platform_and_says_why() -> None:
    run = started(RunReason.HOURLY)
    runs.run_fail(run_id=run.pk, failure="stress broken")
    runs.run_fail(run_id=run.pk, failure="said again")
    held = RiskState.objects.get(underlying="")
    assert held.mode == RiskMode.HOLD
    assert held.reason == f"The hourly run {run.pk} failed: stress broken"
    assert violations() == []
