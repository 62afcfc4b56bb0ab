"""Accounts that have changed and wait for their margin: a list in Redis, of which a worker takes many.

Were the ids in the messages, every message would be a task's worth of work, and once more of them come than
workers take, each change would wait for all before it. The list is a hint as messages are: what is lost with
Redis the sweep finds, and who stands in it twice is margined once.

Beside it stands whether a worker has been called, for as long as that one comes back to look: to call one for
each change would take more time than to margin it. The mark ends by itself, should its worker be lost.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from django.conf import settings
from kombu.exceptions import OperationalError as BrokerUnavailable
from redis import Redis
from redis.exceptions import RedisError

_KEY: Final = "changed-accounts"
_CALLED: Final = "changed-accounts-called"
_CALL_LASTS_MS: Final = 1_000
# At once, or what is added in between would wait for nobody.
_FINISH: Final = """
if redis.call('LLEN', KEYS[1]) > 0 then return 0 end
redis.call('DEL', KEYS[2])
return 1
"""


def waiting_add(account_ids: Sequence[int]) -> bool:
    """Add accounts to those that wait; whether a worker is to be called for them. BrokerUnavailable."""
    if not account_ids:
        return False
    with _answering() as redis, redis.pipeline() as together:
        together.rpush(_KEY, *account_ids)
        together.set(_CALLED, "", nx=True, px=_CALL_LASTS_MS)
        _, is_first = together.execute()
    return bool(is_first)


def waiting_take(most: int) -> list[int]:
    """Take those that have waited longest, each once, ascending; who does comes back. BrokerUnavailable."""
    with _answering() as redis, redis.pipeline() as together:
        together.lpop(_KEY, most)
        together.set(_CALLED, "", px=_CALL_LASTS_MS)
        taken, _ = together.execute()
    return sorted({int(account) for account in taken or ()})


def waiting_finish() -> bool:
    """Whether nobody waits; if so the next that is added has a worker called. BrokerUnavailable."""
    with _answering() as redis:
        return bool(redis.eval(_FINISH, 2, _KEY, _CALLED))


@contextmanager
def _answering() -> Iterator[Redis]:
    try:
        yield _redis(str(settings.PM_REDIS_URL))
    except RedisError as error:
        raise BrokerUnavailable(str(error)) from error


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    return Redis.from_url(
        url,
        socket_timeout=settings.CELERY_REDIS_SOCKET_TIMEOUT,
        socket_connect_timeout=settings.CELERY_REDIS_SOCKET_CONNECT_TIMEOUT,
    )
