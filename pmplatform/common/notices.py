"""Waking on PostgreSQL's NOTIFY: a hint that there is work, for processes that also look without one."""

from django.db import connection


def listen(channel: str) -> None:
    """Hear what is notified on a channel from now on; harmless to repeat."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {connection.ops.quote_name(channel)}")


def notice_wait(seconds: float) -> None:
    """Return at the next notice, one that came meanwhile included, or when the time is over.

    Those that are there already are one hint: each by itself would be a look for nothing.
    """
    assert connection.connection is not None
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass
    for _ in connection.connection.notifies(timeout=0):
        pass
