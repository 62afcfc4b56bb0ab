"""The events of the stream: appended in the order of their ids, read by whom they concern.

PostgreSQL holds them for ``PM_STREAM_KEPT``; a message over Redis says only that there are new ones.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Min, Q
from redis import Redis
from redis.exceptions import RedisError

from pmplatform.common.locking import turn_take
from pmplatform.common.models import Event
from pmplatform.common.models.event import EventKind
from pmplatform.common.principals import Principal

__all__ = ["CHANNEL", "EventKind", "NewEvent"]

logger = logging.getLogger(__name__)

#: The Redis channel on which new events are announced.
CHANNEL: Final = "events"
_TURN: Final = "events"
_ANSWER_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to be: ``tenant`` None is for the platform alone, ``data`` is plain JSON."""

    kind: EventKind
    tenant: int | None
    data: Mapping[str, Any]


def events_append(*, events: Sequence[NewEvent], now: datetime) -> list[Event]:
    """Append events; needs a transaction, and holds off every other that appends until it ends.

    The turn is what makes ids follow the order of commits: without it a reader could see 8 before 7, and
    never come back for 7.

    Raises
    ------
    LockTimeout
    """
    if not events:
        return []
    turn_take(_TURN)
    rows = [Event(kind=event.kind, tenant=event.tenant, data=dict(event.data), at=now) for event in events]
    written = Event.objects.bulk_create(rows, batch_size=1_000)
    transaction.on_commit(_announce)
    return written


def events_after(
    *, last_id: int, limit: int, principal: Principal | None = None, until: int | None = None
) -> list[Event]:
    """Events with a larger id, in its order: those a principal may see or, without one, all."""
    mine = Q() if principal is None or principal.is_platform else Q(tenant=principal.tenant_id)
    bound = Q() if until is None else Q(pk__lte=until)
    return list(Event.objects.filter(mine, bound, pk__gt=last_id).order_by("pk")[:limit])


def events_range() -> tuple[int, int]:
    """The oldest id that is kept and the newest; zeros before the first event."""
    ends = Event.objects.aggregate(oldest=Min("pk"), newest=Max("pk"))
    return ends["oldest"] or 0, ends["newest"] or 0


def events_prune(*, now: datetime) -> None:
    """Delete what is older than the platform keeps; the newest event stays, to tell how far ids went."""
    old = Event.objects.filter(at__lt=now - settings.PM_STREAM_KEPT)
    old.exclude(pk=events_range()[1]).delete()


def _announce() -> None:
    try:
        with Redis.from_url(
            str(settings.PM_REDIS_URL),
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
        ) as client:
            client.publish(CHANNEL, "")
    except RedisError as error:
        logger.warning("new events are not announced, and will be found a moment later: %s", error)
