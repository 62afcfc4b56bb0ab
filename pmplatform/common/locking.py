"""Row locks: always in ascending key order, never waited for without end."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from django.db import OperationalError, connection, models
from psycopg.errors import LockNotAvailable

from pmplatform.common.columns import plain_row
from pmplatform.common.errors import LockTimeout, NotFound

LOCK_TIMEOUT_MS = 3_000
IDLE_LIMIT_SECONDS = 10

#: Parameters of a statement that bounds its waits itself: its FROM has, before what it waits for,
#: `(SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded`, as `lock_timeout` sets it.
BOUNDED: Final = {"lock_timeout": f"{LOCK_TIMEOUT_MS}ms"}
# The bound is set before what is selected waits: one round trip for both.
_TAKE: Final = """
    SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))
    FROM (SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded
"""
_SHARE: Final = """
    SELECT pg_advisory_xact_lock_shared(hashtextextended(%(name)s, 0))
    FROM (SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded
"""

_Row = TypeVar("_Row", bound=models.Model)


def rows_lock(
    *, queryset: models.QuerySet[_Row], ids: Iterable[int], timeout_ms: int = LOCK_TIMEOUT_MS
) -> list[_Row]:
    """Lock the rows with these primary keys until the transaction ends, and return them in key order.

    Raises
    ------
    LockTimeout
        When another transaction holds one of them for longer than ``timeout_ms``.
    NotFound
        When the queryset lacks one of them.
    """
    wanted = sorted(set(ids))
    with lock_timeout(timeout_ms):
        rows = list(queryset.filter(pk__in=wanted).order_by("pk").select_for_update(of=("self",)))
    if len(rows) != len(wanted):
        raise NotFound
    return rows


def turn_take(name: str, timeout_ms: int = LOCK_TIMEOUT_MS) -> None:
    """Let one transaction at a time pass here; a turn lasts until its transaction ends.

    Raises
    ------
    LockTimeout
        When the turn before takes longer than ``timeout_ms``.
    """
    with lock_refusal():
        plain_row(query=_TAKE, parameters={"name": name, "lock_timeout": f"{timeout_ms}ms"})


def turn_share(name: str, timeout_ms: int = LOCK_TIMEOUT_MS) -> None:
    """Keep whoever takes this turn waiting until the transaction ends; others may share it meanwhile.

    Raises
    ------
    LockTimeout
        When the turn before takes longer than ``timeout_ms``.
    """
    with lock_refusal():
        plain_row(query=_SHARE, parameters={"name": name, "lock_timeout": f"{timeout_ms}ms"})


def transaction_idle_limit() -> None:
    """Have the database end this transaction if its process stops within it: others wait for its locks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", [f"{IDLE_LIMIT_SECONDS}s"]
        )


@contextmanager
def lock_timeout(timeout_ms: int = LOCK_TIMEOUT_MS) -> Iterator[None]:
    """Bound every wait for a lock from here to the end of the transaction; raise LockTimeout when over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{timeout_ms}ms"])
    with lock_refusal():
        yield


@contextmanager
def lock_refusal() -> Iterator[None]:
    """Raise LockTimeout when a wait that is bounded already is over."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise LockTimeout from error
        raise
