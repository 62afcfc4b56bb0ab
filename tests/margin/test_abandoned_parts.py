"""A part whose worker's session is gone is taken over at once, and a message goes out once for each part."""

import threading
from collections import Counter
from collections.abc import Iterator

import psutil
import pytest
from celery.exceptions import WorkerLostError
from celery.signals import task_failure
from django.conf import settings
from django.db import connection
from redis import Redis

from margin import tasks
from margin.choices import PartKind, PartState, RunReason, RunState
from margin.models import MarginRunPart
from margin.services import cutting, parts
from margin.services.parts import Claim, part_claim, parts_abandoned, parts_sweep
from margin.services.runs import run_start
from pmplatform import lost_workers
from pmplatform.common.errors import StaleClaim
from tests.margin.test_runs import finished
from tests.margin.world import demo_world, newest_run
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 8)
    demo_world(40)


@pytest.fixture
def worker() -> Iterator[list[Claim]]:
    """A worker in a thread, with a session of its own, that holds the first stress part until it is told."""
    claims: list[Claim] = []
    [part_id, *_] = run_start(reason=RunReason.MANUAL)
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        claim = part_claim(part_id=part_id, kind=PartKind.STRESS)
        assert claim is not None
        claims.append(claim)
        held.set()
        go.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    yield claims
    go.set()
    thread.join()


def end_session(part: MarginRunPart) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [part.holder_pid])


def test_a_part_is_its_workers_as_long_as_the_session_lives(worker: list[Claim]) -> None:
    part = worker[0].part
    assert parts_abandoned(run_id=part.run_id) == []
    assert part.pk not in parts_sweep()
    assert part_claim(part_id=part.pk, kind=PartKind.STRESS) is None


def test_a_part_of_a_lost_session_is_taken_over_and_its_old_holder_refused(worker: list[Claim]) -> None:
    [old] = worker
    end_session(old.part)
    assert parts_abandoned(run_id=old.part.run_id) == [old.part.pk]
    assert old.part.pk in parts_sweep()
    heir = part_claim(part_id=old.part.pk, kind=PartKind.STRESS)
    assert heir is not None
    assert heir.fence == old.fence + 1
    with pytest.raises(StaleClaim):
        parts.stress(claim=old)
    parts.stress(claim=heir)


def test_workers_hear_of_every_part_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.run_stress, "delay", sent.append)
    monkeypatch.setattr(tasks.run_margin, "delay", sent.append)
    monkeypatch.setattr(tasks, "enqueue_conclusions", lambda: None)
    tasks.enqueue(run_start(reason=RunReason.MANUAL))
    for part_id in sent:
        kind = PartKind(MarginRunPart.objects.get(pk=part_id).kind)
        (tasks.run_stress if kind == PartKind.STRESS else tasks.run_margin)(part_id)
    run = newest_run()
    assert run.state == RunState.COMPLETED
    assert Counter(sent) == Counter(run.parts.values_list("pk", flat=True))


@pytest.mark.parametrize(("error", "asked"), [(WorkerLostError("killed"), 1), (ValueError("wrong"), 0)])
def test_a_lost_pool_process_has_its_work_looked_for(error: Exception, asked: int) -> None:
    # Workers import it by the settings.
    assert lost_workers.__name__ in settings.CELERY_IMPORTS
    task_failure.send(sender=tasks.run_margin, task_id="0", exception=error)
    with Redis.from_url(settings.PM_REDIS_URL) as broker:
        messages = broker.lrange("housekeeping", 0, -1)
    assert [b"sweep_runs" in message for message in messages] == [True] * asked


def test_a_run_goes_on_at_once_when_a_pool_process_is_killed() -> None:
    with start_worker(concurrency=2) as worker:
        tasks.enqueue(run_start(reason=RunReason.MANUAL))
        run = newest_run()
        wait_until(lambda: run.parts.exclude(state=PartState.PENDING).exists())
        for child in psutil.Process(worker.pid).children():
            child.kill()
        # No beat is there, and no lease ends before a minute has passed.
        wait_until(lambda: finished(run))
    assert run.state == RunState.COMPLETED, run.failure
    assert run.finished_at is not None
    assert (run.finished_at - run.created_at).total_seconds() < parts.LEASE.total_seconds()
