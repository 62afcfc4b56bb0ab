"""Accounts that have changed and wait for their margin: a list in Redis, of which a worker takes many.

Were the ids in the messages, every message would be a task's worth of work, and once more of them come than
workers take, each change would wait for all before it. The list is a hint as messages are: what is lost with
Redis the sweep finds, and who stands in it twice is margined once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from django.conf import settings
from kombu.exceptions import OperationalError as BrokerUnavailable
from redis import Redis
from redis.exceptions import RedisError

_KEY: Final = "changed-accounts"


def waiting_add(account_ids: Sequence[int]) -> None:
    """Add accounts to those that wait; BrokerUnavailable."""
    if not account_ids:
        return
    try:
        _redis(str(settings.PM_REDIS_URL)).rpush(_KEY, *account_ids)
    except RedisError as error:
        raise BrokerUnavailable(str(error)) from error


def waiting_take(most: int) -> list[int]:
    """Take those that have waited longest, each once, ascending; BrokerUnavailable."""
    try:
        taken = _redis(str(settings.PM_REDIS_URL)).lpop(_KEY, most)
    except RedisError as error:
        raise BrokerUnavailable(str(error)) from error
    return sorted({int(account) for account in taken or ()})


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=settings.CELERY_REDIS_SOCKET_TIMEOUT,
        socket_connect_timeout=settings.CELERY_REDIS_SOCKET_CONNECT_TIMEOUT,
    )
