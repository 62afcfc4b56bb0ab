"""Runs that follow the market by themselves, by real workers: each newest snapshot once, each hour once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError

from margin.choices import RunReason, RunState
from margin.models import MarginResult, MarginRun, MarketSnapshot
from margin.services.publishing import SnapshotDocument, run_start_if_due, snapshot_publish
from margin.services.runs import run_start, run_was_taken
from margin.tasks import start_due_run, start_scheduled_run
from tests.margin.desks import AS_OF, SWAP, account_of, market
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, newest_run
from tests.support.processes import start_relay, start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TICK = timedelta(seconds=5)


def published(number: int) -> int:
    """The sequence of a snapshot so many ticks after the first."""
    document: Any = market({"BTC-USD": 100_000.0 + number})
    moment = AS_OF + number * TICK
    return snapshot_publish(document=SnapshotDocument(moment, document), source="tests", actor=ACTOR).pk


def runs_by_snapshot() -> list[tuple[int, str]]:
    """(snapshot, state) of the runs that followed the market, in the order of their start."""
    runs = MarginRun.objects.filter(reason=RunReason.SNAPSHOT).order_by("id")
    return list(runs.values_list("snapshot_id", "state"))


def all_ended() -> bool:
    return not MarginRun.objects.exclude(state=RunState.COMPLETED).exists()


@contextmanager
def platform(*queues: str) -> Iterator[None]:
    with start_relay(), start_worker(list(queues)):
        yield


def test_a_published_snapshot_is_margined_without_further_asking() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    with platform("stress", "margin", "housekeeping"):
        newest = published(1)
        wait_until(lambda: runs_by_snapshot() == [(newest, RunState.COMPLETED)])
    assert MarginResult.objects.get().run.snapshot_id == newest


def test_while_a_run_is_under_way_the_newest_snapshot_waits_and_those_between_are_skipped() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    with platform("housekeeping"):
        first = published(1)
        wait_until(lambda: len(runs_by_snapshot()) == 1)
        newest = [published(number) for number in (2, 3, 4)][-1]
        for _ in range(3):
            start_due_run.delay()
        with start_worker(["stress", "margin"]):
            wait_until(lambda: len(runs_by_snapshot()) == 2 and all_ended())
    assert runs_by_snapshot() == [(first, RunState.COMPLETED), (newest, RunState.COMPLETED)]


def test_one_snapshot_has_one_run_however_many_ask_at_once() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    published(1)
    for _ in range(20):
        start_due_run.delay()
    with start_worker(concurrency=2):
        wait_until(lambda: len(runs_by_snapshot()) == 1 and all_ended())
    assert run_start_if_due() == []
    assert len(runs_by_snapshot()) == 1


def test_the_database_lets_one_run_follow_the_market_at_a_time() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    assert run_start_if_due()
    run = newest_run()
    with pytest.raises(IntegrityError, match="run_one_by_snapshot_at_a_time") as taken:
        MarginRun.objects.create(
            snapshot=run.snapshot,
            engine=run.engine,
            ledger_position=0,
            reason=run.reason,
            state=run.state,
            accounts=0,
        )
    assert run_was_taken(taken.value)
    assert run_start(reason=RunReason.SNAPSHOT) == []
    assert not run_was_taken(IntegrityError("another breach")), "which has to be seen"


def test_three_beats_start_one_run_an_hour() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    for _ in range(3):
        start_scheduled_run.delay()
    with start_worker(concurrency=2):
        wait_until(lambda: MarginRun.objects.exists() and all_ended())
    periods = list(MarginRun.objects.filter(reason=RunReason.HOURLY).values_list("period", flat=True))
    # Two, if the hour has just ended.
    assert len(periods) == len(set(periods)) <= 2
    assert {(period.minute, period.second) for period in periods if period is not None} == {(0, 0)}


def test_the_next_hour_has_a_run_of_its_own_although_the_market_is_the_same() -> None:
    account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    for minutes in (0, 59, 60, 61, 150):
        with time_machine.travel(AS_OF + timedelta(minutes=minutes), tick=False):
            hour = AS_OF + timedelta(hours=minutes // 60)
            work_through(run_start(reason=RunReason.HOURLY, period=hour))
    periods = MarginRun.objects.order_by("id").values_list("period", flat=True)
    assert list(periods) == [AS_OF + timedelta(hours=hours) for hours in (0, 1, 2)]
    assert MarketSnapshot.objects.count() == 1
