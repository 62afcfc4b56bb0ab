"""The relay of the outbox: publishes what has committed, woken by PostgreSQL and else once a second.

Once a second it also seals the audit chain, which is likewise made of what has committed.
Any number of relays may run beside each other. One that dies while it publishes leaves its rows pending, so
that a message may be published twice, and none is lost.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import django.db
from django.db import connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnavailable

from pmplatform.common.chain import chain_seal
from pmplatform.common.events import events_prune
from pmplatform.common.idempotency import idempotency_prune
from pmplatform.common.models import OutboxRow
from pmplatform.common.notices import listen, notice_wait
from pmplatform.common.outbox import (
    CHANNEL,
    outbox_claim,
    outbox_mark_failed,
    outbox_mark_published,
    outbox_prune,
)

logger = logging.getLogger(__name__)

#: Publishes the payloads of one topic's rows, as many messages or as one.
Route = Callable[[Sequence[Mapping[str, Any]]], None]

BATCH: Final = 1_000
POLL_SECONDS: Final = 1.0
_SEAL_EVERY: Final = timedelta(seconds=1)
_PRUNE_EVERY: Final = timedelta(minutes=1)


def outbox_relay(
    *, routes: Mapping[str, Route], stopping: Callable[[], bool], alive: Callable[[], None]
) -> None:
    """Publish until ``stopping``; calls ``alive`` at least every few seconds while all is well.

    An outage of the broker or of the database is waited for.
    """
    seal_at = prune_at = timezone.now()
    heard = None
    while not stopping():
        try:
            if heard is None or heard is not connection.connection:
                listen(CHANNEL)
                heard = connection.connection
            # What commits after a look that found less has sent its notice.
            while outbox_publish(routes=routes, now=timezone.now()) == BATCH:
                pass
            if timezone.now() >= seal_at:
                chain_seal(now=timezone.now())
                seal_at = timezone.now() + _SEAL_EVERY
            if timezone.now() >= prune_at:
                _prune(timezone.now())
                prune_at = timezone.now() + _PRUNE_EVERY
            alive()
            notice_wait(POLL_SECONDS)
        except BrokerUnavailable as error:
            logger.warning("the broker does not answer: %s", error)
            time.sleep(POLL_SECONDS)
        except django.db.Error as error:
            logger.warning("the database does not answer: %s", error)
            connection.close()
            time.sleep(POLL_SECONDS)


def _prune(now: datetime) -> None:
    """Forget what these tables keep for a while only."""
    outbox_prune(now=now)
    events_prune(now=now)
    idempotency_prune(now=now)


@transaction.atomic
def outbox_publish(*, routes: Mapping[str, Route], now: datetime) -> int:
    """Publish the rows that are due, those of a topic together; returns how many rows were taken.

    A topic without a route has no subscriber, and is published to nobody. Where a route fails, its rows are
    tried again later.

    Raises
    ------
    BrokerUnavailable
        Nothing is marked then: it is not the fault of any row.
    """
    rows = outbox_claim(now=now, limit=BATCH)
    by_topic: dict[str, list[OutboxRow]] = defaultdict(list)
    for row in rows:
        by_topic[row.topic].append(row)
    if published := [
        row for topic, group in by_topic.items() for row in _publish(routes.get(topic), group, now)
    ]:
        outbox_mark_published(rows=published, now=now)
    return len(rows)


def _publish(route: Route | None, rows: Sequence[OutboxRow], now: datetime) -> Sequence[OutboxRow]:
    """Publish rows of one topic, and return them; none where the route fails."""
    try:
        if route is not None:
            route([row.payload for row in rows])
    except BrokerUnavailable:
        raise
    except Exception as error:
        logger.exception("publishing %s failed", rows[0].topic)
        for row in rows:
            outbox_mark_failed(row=row, error=f"{type(error).__name__}: {error}"[:2000], now=now)
        return []
    return rows
