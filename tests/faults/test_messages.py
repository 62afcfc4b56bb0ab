"""Messages that come ten times, in the wrong order, from three beats at once, and from strangers."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from celery.beat import PersistentScheduler
from kombu.serialization import disable_insecure_serializers, enable_insecure_serializers

from margin.choices import PartKind, PartState, RunReason, RunState
from margin.models import MarginRun, MarginRunPart
from pmplatform.celery import app
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, wait_until
from tests.support.processes import running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

TIMES: Final = 10
SILENCE: Final = timedelta(hours=5)
#: Arguments about rows that there are not.
FORGED: Final[list[list[Any]]] = [[0], [-1], [10**30], ["1 OR true"], [[1, 2]], [{"pk": 1}], [None], []]


def send_reversed(staff: Crew, run: MarginRun) -> None:
    """Send the message of every part of the run, and one for cases, ten times, the last ones first."""
    tasks = {PartKind.STRESS: "margin.tasks.run_stress", PartKind.MARGIN: "margin.tasks.run_margin"}
    parts = MarginRunPart.objects.filter(run=run).order_by("-id").values_list("kind", "id")
    with app.connection_for_write(staff.broker_url) as sending:
        for _ in range(TIMES):
            app.send_task("liquidation.tasks.work", connection=sending)
            for kind, part in parts:
                app.send_task(tasks[PartKind(kind)], args=[part], connection=sending)


def test_every_message_ten_times_and_in_reversed_order(staff: Crew, on_stage: Stage) -> None:
    staff.hire("margin.second")
    send_reversed(staff, on_stage.run)
    wait_until(on_stage.is_over, meanwhile=staff.sweep)
    staff.dismiss("margin.second")
    attempts = MarginRunPart.objects.filter(run=on_stage.run).values_list("attempts", flat=True)
    assert set(attempts) == {1}
    on_stage.assert_as_if_nothing_had_happened()


def last_schedule(file: Path) -> Path:
    """The file of a beat that has sent everything once, and nothing for hours."""
    scheduler = PersistentScheduler(app, schedule_filename=str(file))
    for entry in scheduler.schedule.values():
        entry.last_run_at = app.now() - SILENCE
    scheduler.close()
    return file


@contextmanager
def beats(staff: Crew, directory: Path, count: int) -> Iterator[None]:
    """As many beats, started at once, each with a file of its own."""
    with ExitStack() as stack:
        for number in range(count):
            file = last_schedule(directory / f"beat-{number}")
            command = ["celery", "--app=pmplatform", "beat", "--loglevel=INFO", f"--schedule={file}"]
            stack.enter_context(running(command, ready=lambda _: True, extra=staff.environment))
        yield


def hourly_runs_have_ended() -> bool:
    hourly = MarginRun.objects.filter(reason=RunReason.HOURLY)
    return hourly.exists() and not hourly.exclude(state__in=RunState.ended()).exists()


def test_three_beats_after_hours_of_silence_start_one_run_of_the_hour_and_wake_all_that_waits(
    staff: Crew, on_stage: Stage, tmp_path: Path
) -> None:
    with beats(staff, tmp_path, 3):
        wait_until(lambda: on_stage.is_over() and hourly_runs_have_ended())
    periods = list(MarginRun.objects.filter(reason=RunReason.HOURLY).values_list("period", flat=True))
    # Two, if the clock strikes meanwhile.
    assert len(periods) == len(set(periods)) <= 2
    assert MarginRun.objects.filter(reason=RunReason.HOURLY, state=RunState.COMPLETED).count() == len(periods)
    on_stage.assert_as_if_nothing_had_happened()


class Trap:
    """What makes a directory wherever it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def send_forged(staff: Crew, trap: Trap) -> None:
    """Send what a stranger at the broker might: a pickle, and tasks about rows that are done, or are not."""
    done = MarginRunPart.objects.filter(state=PartState.DONE).earliest("id").pk
    with app.connection_for_write(staff.broker_url) as sending:
        for task in ("margin.tasks.run_margin", "liquidation.tasks.review", "margin.tasks.finish_impact"):
            for body in ([done], *FORGED):
                app.send_task(task, args=body, connection=sending)
        app.send_task("os.system", args=["true"], queue="margin", connection=sending)
        enable_insecure_serializers(["pickle"])
        try:
            app.send_task(
                "margin.tasks.run_margin",
                args=[trap],
                serializer="pickle",
                queue="margin",
                connection=sending,
            )
        finally:
            disable_insecure_serializers()


def test_a_forged_message_at_most_wakes_a_worker(staff: Crew, on_stage: Stage, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    send_forged(staff, Trap(trap))
    wait_until(lambda: "ContentDisallowed" in staff.process("margin").output())
    wait_until(lambda: staff.process("liquidation").output().count("liquidation.tasks.review") > len(FORGED))
    assert not trap.exists()
    assert not on_stage.is_under_way()
    on_stage.announce()
    finish(staff, on_stage)
