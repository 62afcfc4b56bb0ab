"""What every test with a database and a broker needs."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db.backends.postgresql.operations import DatabaseOperations
from redis import Redis

_APPEND_ONLY = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE '%_append_only'"


@pytest.fixture(scope="session", autouse=True)
def flush_of_append_only_tables() -> Iterator[None]:
    """Let the flush between transactional tests, and nothing else, truncate tables that refuse it."""
    flush = DatabaseOperations.execute_sql_flush

    def flush_without_triggers(operations: Any, sql_list: Iterable[str]) -> None:
        with operations.connection.cursor() as cursor:
            cursor.execute(_APPEND_ONLY)
            triggers = cursor.fetchall()
        off = [f"ALTER TABLE {table} DISABLE TRIGGER {trigger}" for table, trigger in triggers]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER {trigger}" for table, trigger in triggers]
        flush(operations, [*off, *sql_list, *on])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", flush_without_triggers)
        yield


@pytest.fixture(autouse=True)
def empty_broker(request: pytest.FixtureRequest) -> None:
    """Let no worker of a test hear what an earlier test has sent."""
    marker = request.node.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        with Redis.from_url(settings.PM_REDIS_URL) as broker:
            broker.flushdb()
