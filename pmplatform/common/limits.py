"""How many requests a principal may make in a minute, counted in Redis for all web processes together.

A script counts and reads the clock in one step, so that requests at once cannot slip past each other. The
limit protects capacity and decides nothing about money: when Redis does not answer, nobody is limited, and
it is left alone for a few seconds so that its absence costs no request more than a moment.
"""

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.conf import settings
from redis import Redis
from redis.commands.core import Script
from redis.exceptions import RedisError

WINDOW_SECONDS: Final = 60
_ANSWER_SECONDS: Final = 0.25
_REST_SECONDS: Final = 5.0
_COUNT: Final = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {used, redis.call('TTL', KEYS[1])}
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a principal has left of its window, which ends in ``seconds``."""

    limit: int
    used: int
    seconds: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.limit

    def headers(self) -> dict[str, str]:
        """As in the IETF's draft on RateLimit header fields: the quota, and what is left of it."""
        remaining = max(self.limit - self.used, 0)
        return {
            "RateLimit-Policy": f'"minute";q={self.limit};w={WINDOW_SECONDS}',
            "RateLimit": f'"minute";r={remaining};t={self.seconds}',
        }


class _Counter:
    """The script on a connection pool of its own, with short patience."""

    def __init__(self, url: str) -> None:
        client = Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
        self._count: Script = client.register_script(_COUNT)
        self._rest_until = 0.0

    def take(self, name: str, limit: int) -> Allowance | None:
        if time.monotonic() < self._rest_until:
            return None
        try:
            used, seconds = self._count(keys=[f"rate:{name}"], args=[WINDOW_SECONDS])
        except RedisError:
            self._rest_until = time.monotonic() + _REST_SECONDS
            return None
        return Allowance(limit=limit, used=int(used), seconds=max(int(seconds), 0))


@lru_cache(maxsize=4)
def _counter(url: str) -> _Counter:
    return _Counter(url)


def allowance_take(name: str) -> Allowance | None:
    """Count one request of a principal; None where it cannot be counted, and so is not limited."""
    return _counter(str(settings.PM_REDIS_URL)).take(name, settings.PM_RATE_LIMIT)
