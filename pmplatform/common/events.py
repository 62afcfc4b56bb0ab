"""The events of the stream: appended in the order of their ids, read by whom they concern.

PostgreSQL holds them for ``PM_STREAM_KEPT``; a message over Redis says only that there are new ones, and the
relay of the outbox sends it, so that nobody who appends waits for Redis.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.db.models import Max, Min, Q
from psycopg.types.json import Jsonb
from redis import Redis

from pmplatform.common.columns import plain_value
from pmplatform.common.locking import BOUNDED, lock_refusal
from pmplatform.common.models import Event
from pmplatform.common.models.event import PUBLIC_KINDS, EventKind
from pmplatform.common.outbox import outbox_append

__all__ = ["CHANNEL", "EVENTS_APPENDED", "EventKind", "NewEvent"]

#: Where new events are announced: of Redis, for the stream, and of PostgreSQL, for webhooks.
CHANNEL: Final = "events"
#: Topic of the outbox: there are new events.
EVENTS_APPENDED: Final = "events.appended"
_TURN: Final = "events"
_BATCH: Final = 5_000
# The turn is taken, as by `turn_take`, before any id is.
_APPEND: Final = """
    WITH written AS (
        INSERT INTO common_event (kind, tenant, data, at)
        SELECT event->>0, (event->>1)::bigint, event->2, %(now)s
        FROM (
            SELECT pg_advisory_xact_lock(hashtextextended(%(turn)s, 0))
            FROM (SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded
        ) AS turn, jsonb_array_elements(%(events)s) WITH ORDINALITY AS given (event, place)
        ORDER BY place
        RETURNING id
    )
    SELECT array_agg(id ORDER BY id), pg_notify(%(channel)s, '') FROM written
"""
_ANSWER_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be: ``data`` is plain JSON, ``tenant`` None as in `Event`."""

    kind: EventKind
    tenant: int | None
    data: Mapping[str, Any]


def events_append(*, events: Sequence[NewEvent], now: datetime) -> list[int]:
    """Append events and give their ids; needs a transaction, holding off others that append until it ends.

    The turn is what makes ids follow the order of commits: without it a reader could see 8 before 7, and
    never come back for 7. So append last, when every row lock is taken already and the end is near.

    Raises
    ------
    LockTimeout
    """
    ids: list[int] = []
    for first in range(0, len(events), _BATCH):
        rows = [(event.kind, event.tenant, event.data) for event in events[first : first + _BATCH]]
        values = {"turn": _TURN, "events": Jsonb(rows), "now": now, "channel": CHANNEL, **BOUNDED}
        with lock_refusal():
            ids += plain_value(query=_APPEND, parameters=values)
    if ids:
        outbox_append(topic=EVENTS_APPENDED, payload={"event": ids[-1]})
    return ids


def events_after(*, last_id: int, limit: int, tenant_id: int | None = None) -> list[Event]:
    """Events with a larger id, in its order: a tenant's and public ones or, without a tenant, all."""
    public = Q(tenant=None, kind__in=PUBLIC_KINDS)
    mine = Q() if tenant_id is None else Q(tenant=tenant_id) | public
    return list(Event.objects.filter(mine, pk__gt=last_id).order_by("pk")[:limit])


def event_document(event: Event) -> dict[str, Any]:
    """An event as the stream and webhooks tell it."""
    return {"id": event.pk, "kind": event.kind, "at": event.at.isoformat(), "data": event.data}


def events_range() -> tuple[int, int]:
    """The oldest id that is kept and the newest; zeros before the first event."""
    ends = Event.objects.aggregate(oldest=Min("pk"), newest=Max("pk"))
    return ends["oldest"] or 0, ends["newest"] or 0


def events_prune(*, now: datetime) -> None:
    """Delete what is older than the platform keeps; the newest event stays, to tell how far ids went."""
    old = Event.objects.filter(at__lt=now - settings.PM_STREAM_KEPT)
    old.exclude(pk=events_range()[1]).delete()


def events_announce() -> None:
    """Tell the streams that there are new events. Raises RedisError."""
    _redis(str(settings.PM_REDIS_URL)).publish(CHANNEL, "")


@lru_cache(maxsize=4)
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, socket_connect_timeout=_ANSWER_SECONDS)
