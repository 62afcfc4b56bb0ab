"""Broker, database and network fail while workers are at it."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from margin.models import MarginRunPart
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.proxy import Mode
from tests.faults.stage import Stage, wait_until
from tests.support.processes import PlatformProcess

#: As long as it takes until a worker has given up on an acknowledgement.
PAUSE_MILLISECONDS = 600_000

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def broker_killed(staff: Crew) -> None:
    staff.broker.kill()
    time.sleep(1)
    staff.broker.start()


def broker_emptied(staff: Crew) -> None:
    for _ in range(5):
        staff.broker.lose_everything()
        time.sleep(0.2)


def broker_stopped(staff: Crew) -> None:
    staff.broker.signal(signal.SIGSTOP)
    time.sleep(6)
    staff.broker.signal(signal.SIGCONT)


def broker_full(staff: Crew) -> None:
    staff.broker.fill()
    time.sleep(2)
    staff.broker.empty()


def broker_cut_off(staff: Crew) -> None:
    staff.redis.mode = Mode.REFUSE
    staff.redis.reset()
    time.sleep(2)


def database_cut_off(staff: Crew) -> None:
    for _ in range(3):
        staff.postgres.reset()
        time.sleep(0.3)


def database_half_open(staff: Crew) -> None:
    staff.postgres.mode = Mode.SILENT
    time.sleep(2)


def database_slow(staff: Crew) -> None:
    staff.postgres.delay = 0.05
    time.sleep(2)


def database_restarted(staff: Crew) -> None:
    """Kill one backend: PostgreSQL ends all the others and recovers from its log, as after a crash."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        os.kill(cursor.fetchall()[0][0], signal.SIGKILL)
    wait_until(_recovered)


def _recovered() -> bool:
    connection.close()
    try:
        return not MarginRunPart.objects.filter(pk=0).exists()
    except DatabaseError:
        return False


FAULTS: dict[str, Callable[[Crew], None]] = {
    "the broker is killed and started again": broker_killed,
    "the broker loses everything, again and again": broker_emptied,
    "the broker stops answering for longer than a socket waits": broker_stopped,
    "the broker is full": broker_full,
    "the broker is cut off": broker_cut_off,
    "every connection to the database is cut": database_cut_off,
    "the connections to the database are half open": database_half_open,
    "the database is slow": database_slow,
    "a backend is killed and the database recovers": database_restarted,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_server_fails_in_the_middle(staff: Crew, on_stage: Stage, fault: Callable[[Crew], None]) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    fault(staff)
    finish(staff, on_stage)


def test_the_broker_is_lost_before_anybody_has_heard(staff: Crew, on_stage: Stage) -> None:
    staff.broker.kill()
    on_stage.announce()
    time.sleep(1)
    staff.broker.start()
    finish(staff, on_stage)


def test_the_answer_to_a_commit_is_lost(staff: Crew, on_stage: Stage) -> None:
    """The worker does not know whether its transaction is in; it is, and nothing is done twice."""
    on_stage.announce()
    for cuts in range(1, 5):
        staff.postgres.cut_after = b"COMMIT"
        wait_until(lambda wanted=cuts: staff.postgres.cuts >= wanted, meanwhile=staff.sweep)  # type: ignore[misc]
    finish(staff, on_stage)


def test_an_acknowledgement_is_lost(staff: Crew, on_stage: Stage) -> None:
    """The broker answers no write while the task of a worker ends; the worker takes tasks all the same."""
    table = MarginRunPart._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor, staff.broker.client() as client:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        on_stage.announce()
        wait_until(lambda: _waits_for(staff.process("margin"), table))
        client.client_pause(PAUSE_MILLISECONDS, all=False)
    wait_until(lambda: "Couldn't ack" in staff.process("margin").output())
    with staff.broker.client() as client:
        client.client_unpause()
    finish(staff, on_stage)


def _waits_for(process: PlatformProcess, table: str) -> bool:
    with connection.cursor() as cursor:
        # A transaction goes on seeing the processes that it has seen first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE relation = %s::regclass AND NOT granted AND application_name = %s)",
            [table, process.name],
        )
        [waiting] = cursor.fetchone()
    return bool(waiting)
