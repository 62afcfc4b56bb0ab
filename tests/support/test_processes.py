"""The workers of the tests are real: they consume, share the database, and leave nothing behind."""

import os
import signal

import psycopg
import pytest
from django.db import connection

from tests.support.processes import celery_worker, child_environment


@pytest.mark.django_db(transaction=True)
def test_a_child_process_is_pointed_at_the_database_of_the_test() -> None:
    with psycopg.connect(child_environment()["DATABASE_URL"]) as child:
        assert child.info.dbname == connection.settings_dict["NAME"]


@pytest.mark.serial
@pytest.mark.django_db(transaction=True)
def test_a_worker_answers_and_its_process_group_ends_with_the_block() -> None:
    with celery_worker("housekeeping", concurrency=2) as worker:
        os.killpg(worker.pid, 0)
    with pytest.raises(ProcessLookupError):
        os.killpg(worker.pid, 0)


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_a_worker_that_the_test_kills_is_no_error() -> None:
    with celery_worker("housekeeping") as worker:
        os.killpg(worker.pid, signal.SIGKILL)
        assert worker.wait(10) == -signal.SIGKILL
