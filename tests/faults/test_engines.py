"""Workers of two engine versions beside each other, as while an upgrade is rolled out."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from liquidation.models import LiquidationStep
from margin.choices import RunState
from margin.engine.report import ENGINE_VERSION
from margin.models import MarginRun, MarginRunPart
from tests.faults import other_engine
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, wait_until
from tests.support.processes import PlatformProcess, running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


@contextmanager
def worker_of_another_engine(staff: Crew) -> Iterator[PlatformProcess]:
    """It listens to the queues of all of ours, and takes half of their messages."""
    name = f"{uuid.uuid4().hex}@other"
    queues = "--queues=stress,margin,liquidation"
    options = ["--concurrency=1", "--without-mingle", f"--hostname={name}", queues, "--loglevel=INFO"]
    command = [other_engine.__name__, "--app=pmplatform", "worker", *options]
    with running(
        command, ready=lambda worker: f"{name} ready" in worker.output(), extra=staff.environment
    ) as worker:
        yield worker


def has_ended(run: MarginRun) -> bool:
    return MarginRun.objects.filter(pk=run.pk, state__in=RunState.ended()).exists()


def test_a_worker_of_another_engine_leaves_everything_to_those_of_the_runs_own(
    staff: Crew, on_stage: Stage
) -> None:
    before = LiquidationStep.objects.count()
    staff.dismiss("margin", "liquidation")
    with worker_of_another_engine(staff) as other:
        on_stage.announce()
        staff.sweep()
        wait_until(lambda: "run_stress" in other.output() and "liquidation.tasks.work" in other.output())
        assert not on_stage.is_under_way()
        assert LiquidationStep.objects.count() == before
        staff.everybody()
        # Who leaves a part is quicker than who works on one, and takes most of what each sweep sends.
        wait_until(lambda: has_ended(on_stage.run), meanwhile=staff.sweep, every=0.2)
    attempts = MarginRunPart.objects.filter(run=on_stage.run).values_list("attempts", flat=True)
    assert set(attempts) == {1}
    finish(staff, on_stage)
    assert set(LiquidationStep.objects.values_list("engine", flat=True)) == {ENGINE_VERSION}
