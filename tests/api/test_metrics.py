"""What Prometheus is told of the platform's safety."""

import pytest
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest

from margin.choices import RiskMode, RunReason
from margin.services import runs
from margin.services.risk_states import risk_state_set
from margin.services.versions import version_rollback
from pmplatform.api.metrics import PlatformFigures
from pmplatform.common.chain import chain_seal
from pmplatform.common.principals import Actor
from pmplatform.invariants.checks import invariants_check
from tests.margin.proposals import BOB, CLASSIC, classic_world
from tests.margin.world import AS_OF, demo_world, newest_run

pytestmark = pytest.mark.django_db(transaction=True)


def figures() -> dict[str, float]:
    """By name and labels, as a scrape reads them."""
    registry = CollectorRegistry()
    registry.register(PlatformFigures())
    lines = generate_latest(registry).decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_figures_tell_of_failed_runs_holds_and_rows_that_are_not_sealed() -> None:
    demo_world(3)
    runs.run_start(reason=RunReason.HOURLY, period=AS_OF.replace(minute=0))
    runs.run_fail(run_id=newest_run().pk, failure="broken")
    told = figures()
    assert told["pm_hourly_run_failed"] == 1
    assert told['pm_risk_restricted{underlying="*"}'] == 1
    assert told['pm_liquidation_cases{state="working"}'] == 0
    assert 0 < told["pm_audit_unsealed_seconds"] < 60
    while chain_seal(now=timezone.now()):
        pass
    officer = Actor(name="officer", request_id="r-1")
    risk_state_set(underlying="", mode=RiskMode.ENABLED, reason="seen", actor=officer, now=timezone.now())
    chain_seal(now=timezone.now())
    told = figures()
    assert told["pm_audit_unsealed_seconds"] == 0
    assert told['pm_risk_restricted{underlying="*"}'] == 0


def test_a_rollback_is_told_of_with_its_age() -> None:
    classic_world(2)
    assert "pm_parameters_rollback_age_seconds" not in figures()
    version_rollback(
        methodology=CLASSIC, restores="2023-07-12", reason="wrong", actor=BOB, now=timezone.now()
    )
    assert 0 <= figures()["pm_parameters_rollback_age_seconds"] < 60


def test_invariants_are_told_of_once_they_have_been_checked() -> None:
    invariants_check()
    told = figures()
    assert [told[f'pm_invariant_violations{{invariant="I{number}"}}'] for number in range(1, 15)] == [0] * 14
