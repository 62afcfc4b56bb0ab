"""The event log as many clients of one process follow it: read once, handed to each from memory.

A hint over Redis wakes the reader; without Redis it looks once a second. Who comes from further back than
memory reaches is served from PostgreSQL until caught up.
"""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import django.db
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from pmplatform.common.events import CHANNEL, events_after, events_range
from pmplatform.common.models import Event

logger = logging.getLogger(__name__)

#: Events that are kept in memory, and that are read or handed on at once.
REMEMBERED: Final = 10_000
PAGE: Final = 500
POLL_SECONDS: Final = 1.0

_Result = TypeVar("_Result")
# Its threads hold the process's connections to the database, however many clients there are.
_readers = ThreadPoolExecutor(4, thread_name_prefix="events")


async def in_reader(function: Callable[[], _Result]) -> _Result:
    """Run a function that reads the database in one of a few threads."""

    def work() -> _Result:
        django.db.close_old_connections()
        return function()

    return await asyncio.get_running_loop().run_in_executor(_readers, work)


class EventFeed:
    """The newest events of the log, and a way to wait for more. Belongs to one event loop."""

    def __init__(self, newest: int) -> None:
        self.newest = newest
        # All events with a larger id than this, up to the newest, are in memory.
        self._complete_after = newest
        self._recent: deque[Event] = deque()
        self._hint = asyncio.Event()
        self._more = asyncio.Condition()
        self._tasks = [_apart(self._read()), _apart(self._listen())]

    async def after(self, position: int, tenant_id: int | None) -> tuple[list[Event], int]:
        """Up to a page of a tenant's (None: all) events after a position, and the position after them."""
        newest = self.newest
        if position >= self._complete_after:
            mine = (
                event for event in self._recent if event.pk > position and tenant_id in (None, event.tenant)
            )
            events = list(islice(mine, PAGE))
        else:
            events = await in_reader(lambda: events_after(last_id=position, limit=PAGE, tenant_id=tenant_id))
        last = events[-1].pk if events else position
        return events, last if len(events) == PAGE else max(last, newest)

    async def more_than(self, position: int, seconds: float) -> bool:
        """Wait for an event after a position; False when none came in time."""
        try:
            async with asyncio.timeout(seconds), self._more:
                await self._more.wait_for(lambda: self.newest > position)
        except TimeoutError:
            return False
        return True

    async def _read(self) -> None:
        while True:
            try:
                await self._read_all()
            except django.db.Error as error:
                logger.warning("the database does not answer: %s", error)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._hint.wait()
            except TimeoutError:
                pass
            self._hint.clear()

    async def _read_all(self) -> None:
        while events := await in_reader(lambda: events_after(last_id=self.newest, limit=PAGE)):
            self._recent.extend(events)
            while len(self._recent) > REMEMBERED:
                self._complete_after = self._recent.popleft().pk
            async with self._more:
                self.newest = events[-1].pk
                self._more.notify_all()

    async def _listen(self) -> None:
        while True:
            try:
                async with Redis.from_url(str(settings.PM_REDIS_URL)) as client, client.pubsub() as hints:
                    await hints.subscribe(CHANNEL)
                    async for _ in hints.listen():
                        self._hint.set()
            except (RedisError, OSError) as error:
                logger.warning("no hints of events: %s", error)
            await asyncio.sleep(POLL_SECONDS)


def _apart(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that outlives the request that began it, and inherits nothing of it."""
    return asyncio.get_running_loop().create_task(work, context=contextvars.Context())


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, EventFeed] = WeakKeyDictionary()


async def event_feed() -> EventFeed:
    """The feed of the running loop, which its first client begins."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _, newest = await in_reader(events_range)
        # Another client may have begun it meanwhile.
        if loop not in _feeds:
            _feeds[loop] = EventFeed(newest)
    return _feeds[loop]
