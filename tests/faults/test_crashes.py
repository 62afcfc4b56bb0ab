"""Margin workers killed, or stopped past their lease, at every named point: whole parts, each once."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from margin.choices import PartState, RunReason
from margin.models import MarginReport, MarginResult, MarginRun, MarginRunPart, UnitResult
from pmplatform.invariants.view import violations
from tests.faults import dying
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, a_minute_passes, wait_until
from tests.support.ending import DEAD, killed_at, stopped_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

RESULTS = (MarginResult, UnitResult, MarginReport)


@pytest.fixture
def staff(hired: Crew, on_stage: Stage) -> Iterator[Crew]:
    """Nobody is at work at first, and nobody has anything to do afterwards."""
    yield hired
    hired.rest()


@pytest.fixture
def without_unique_keys(staff: Crew) -> Iterator[None]:
    """Let the results of an account be written twice."""
    keys = [(model, model._meta.constraints[0]) for model in RESULTS]
    with connection.schema_editor() as editor:
        for model, key in keys:
            editor.remove_constraint(model, key)
    yield
    staff.rest()
    # Workers keep what they have read by its number, so that no number may come again.
    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True, reset_sequences=False)
    with connection.schema_editor() as editor:
        for model, key in keys:
            editor.add_constraint(model, key)


def test_workers_killed_at_every_point_leave_a_whole_part_or_none(staff: Crew, on_stage: Stage) -> None:
    changes = [point for point, (at, _) in dying.POINTS.items() if at == "change"]
    assert killed_at(dying.__name__, changes) == dict.fromkeys(changes, DEAD)
    assert not MarginRun.objects.filter(reason=RunReason.CHANGE).exists()
    points = [point for point in dying.POINTS if point not in changes]
    assert killed_at(dying.__name__, points) == dict.fromkeys(points, DEAD)
    assert not MarginRunPart.objects.filter(run=on_stage.run).exclude(state=PartState.DONE).exists()
    finish(staff, on_stage)


def zombie(staff: Crew, on_stage: Stage, *words: str) -> None:
    """A worker stops with a shard's results in its hands, others finish, and it goes on."""
    with stopped_at(dying.__name__, "shard margined", *words) as go_on:
        a_minute_passes()
        wait_until(on_stage.is_over, meanwhile=staff.supervise)
        go_on()


def test_a_worker_that_stops_within_a_transaction_loses_it_and_others_go_on(
    staff: Crew, on_stage: Stage
) -> None:
    """It holds the run and the part; the database gives up on it before its lease ends."""
    with stopped_at(dying.__name__, "shard part done") as go_on:
        staff.hire("margin")
        a_minute_passes()
        wait_until(on_stage.is_over, meanwhile=staff.supervise)
        go_on()
    on_stage.assert_as_if_nothing_had_happened()


@pytest.mark.usefixtures("without_unique_keys")
def test_the_fence_alone_stops_a_zombie_with_a_shards_results_in_its_hands(
    staff: Crew, on_stage: Stage
) -> None:
    zombie(staff, on_stage)
    on_stage.assert_as_if_nothing_had_happened()


def test_the_unique_key_alone_stops_it_as_well(staff: Crew, on_stage: Stage) -> None:
    zombie(staff, on_stage, "--without-fence")
    on_stage.assert_as_if_nothing_had_happened()


@pytest.mark.usefixtures("without_unique_keys")
def test_without_fence_and_key_the_same_fault_writes_results_twice(staff: Crew, on_stage: Stage) -> None:
    zombie(staff, on_stage, "--without-fence")
    with pytest.raises(AssertionError):
        on_stage.assert_as_if_nothing_had_happened()
    assert "I1" in {found.invariant for found in violations()}
