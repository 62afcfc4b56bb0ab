"""Workers that are killed, stopped and replaced in the middle of their work."""

import signal

import psutil
import pytest

from margin.choices import PartState
from margin.models import MarginResult, MarginRunPart
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, a_minute_passes, wait_until
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def test_a_worker_tree_is_killed(staff: Crew, on_stage: Stage) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    for name in ("margin", "liquidation"):
        staff.process(name).signal_tree(signal.SIGKILL)
        staff.process(name).process.wait()
    finish(staff, on_stage)


def test_a_pool_child_is_killed(staff: Crew, on_stage: Stage) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    for name in ("margin", "liquidation"):
        for child in psutil.Process(staff.process(name).pid).children():
            child.kill()
    finish(staff, on_stage)


def test_a_worker_stopped_past_its_lease_writes_nothing_when_it_goes_on(staff: Crew, on_stage: Stage) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    staff.process("margin").signal_tree(signal.SIGSTOP)
    held = list(MarginRunPart.objects.filter(state=PartState.CLAIMED).values_list("pk", "fence"))
    staff.hire("margin.second")
    a_minute_passes()
    wait_until(on_stage.is_over, meanwhile=staff.sweep)
    # Of this run: the accounts of the cases are margined again meanwhile, each by a run of its own.
    results = MarginResult.objects.filter(run=on_stage.run).count()
    staff.process("margin").signal_tree(signal.SIGCONT)
    staff.process("margin").stop()
    assert MarginResult.objects.filter(run=on_stage.run).count() == results
    assert all(MarginRunPart.objects.get(pk=part).fence > fence for part, fence in held)
    staff.dismiss("margin.second")
    finish(staff, on_stage)


def test_workers_are_replaced_one_after_another_under_load(staff: Crew, on_stage: Stage) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    staff.hire("margin.second")
    for name in ("margin", "liquidation", "relay"):
        process = staff.process(name).process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
        staff.hire(name)
    staff.dismiss("margin.second")
    wait_until(on_stage.is_over, meanwhile=staff.sweep)
    on_stage.assert_as_if_nothing_had_happened()
