"""What the plugin has set up for this very test run."""

import os
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection


def test_a_parallel_process_has_a_redis_database_of_its_own() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    expected = f"/{int(worker.removeprefix('gw')) + 1}" if worker else "/0"
    assert urlsplit(settings.PM_REDIS_URL).path == expected


def test_tests_reach_the_redis_server_of_the_run() -> None:
    cache.set("greeting", "hello", timeout=10)
    assert cache.get("greeting") == "hello"


@pytest.mark.django_db
def test_tests_run_on_postgresql_without_waiting_for_the_disk() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150_000
        cursor.execute("SHOW fsync")
        assert cursor.fetchone() == ("off",)
