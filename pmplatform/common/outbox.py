"""Transactional outbox: messages commit with their change, a relay publishes them afterwards.

The relay reads by state with SKIP LOCKED, never by id (ids do not commit in order), and holds the rows'
locks while it publishes: if it dies, they are pending again at once. Delivery is at least once.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count, Min
from django.db.transaction import TransactionManagementError
from psycopg.types.json import Jsonb

from pmplatform.common.columns import plain_execute, plain_rows, plain_value
from pmplatform.common.models import OutboxRow
from pmplatform.common.models.outbox import OutboxState

CHANNEL = "outbox"
MAX_ATTEMPTS = 5
#: How long a published row is kept, to be looked at.
KEPT = timedelta(hours=1)
_FIRST_RETRY = timedelta(seconds=1)
#: Queues a message, by itself or as a part of the statement of its change; parameters of `outbox_values`.
OUTBOX_INSERT: Final = """
    INSERT INTO common_outboxrow (topic, payload, state, attempts, last_error, created_at, available_at)
    VALUES (%(outbox_topic)s, %(outbox_payload)s, 'pending', 0, '', %(outbox_at)s, %(outbox_at)s)
"""
_APPEND: Final = OUTBOX_INSERT + "RETURNING id"
_DUE: Final = """
    SELECT id, topic, payload::text, attempts FROM common_outboxrow
    WHERE state = 'pending' AND available_at <= %(now)s
    ORDER BY available_at, id LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
"""
_PUBLISHED: Final = """
    UPDATE common_outboxrow SET state = 'published', published_at = %(now)s, attempts = attempts + 1
    WHERE id = ANY(ARRAY(SELECT unnest(%(ids)s::bigint[])))
"""


@dataclass(frozen=True, slots=True)
class OutboxStanding:
    """Messages not published, by state, and how long the oldest pending one has waited."""

    counts: Mapping[str, int]
    oldest_seconds: float


def outbox_append(*, topic: str, payload: Mapping[str, int | str]) -> OutboxRow:
    """Queue a message; ``payload`` holds ids only. Commits, or vanishes, with the caller's transaction."""
    row = OutboxRow(topic=topic, payload=dict(payload))
    values = outbox_values(topic=topic, payload=payload, now=row.created_at)
    row.pk = plain_value(query=_APPEND, parameters=values)
    return row


def outbox_values(*, topic: str, payload: Mapping[str, int | str], now: datetime) -> dict[str, object]:
    """What `OUTBOX_INSERT` is given for a message."""
    return {"outbox_topic": topic, "outbox_payload": Jsonb(dict(payload)), "outbox_at": now}


def outbox_claim(*, now: datetime, limit: int) -> list[OutboxRow]:
    """Lock up to ``limit`` due rows, oldest first, passing over those another relay holds.

    The locks last until the caller's transaction ends, so there has to be one; TransactionManagementError.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("Rows are claimed until a transaction ends, and there is none.")
    rows = plain_rows(query=_DUE, parameters={"now": now, "limit": limit})
    return [
        OutboxRow(pk=pk, topic=topic, payload=json.loads(payload), attempts=attempts)
        for pk, topic, payload, attempts in rows
    ]


def outbox_mark_published(*, rows: Sequence[OutboxRow], now: datetime) -> None:
    plain_execute(query=_PUBLISHED, parameters={"ids": [row.pk for row in rows], "now": now})


def outbox_mark_failed(*, row: OutboxRow, error: str, now: datetime) -> None:
    """Put a row back with a doubling delay; after ``MAX_ATTEMPTS`` it is dead-lettered."""
    attempts = row.attempts + 1
    state = OutboxState.DEAD if attempts >= MAX_ATTEMPTS else OutboxState.PENDING
    delay = _FIRST_RETRY * 2 ** (attempts - 1)
    OutboxRow.objects.filter(pk=row.pk).update(
        state=state, attempts=attempts, last_error=error, available_at=now + delay
    )


def outbox_prune(*, now: datetime) -> None:
    """Delete what was published long ago; dead letters stay."""
    OutboxRow.objects.filter(state=OutboxState.PUBLISHED, published_at__lt=now - KEPT).delete()


def outbox_state(*, now: datetime) -> OutboxStanding:
    """How far the relay is behind."""
    waiting = OutboxRow.objects.exclude(state=OutboxState.PUBLISHED)
    counts = dict(waiting.order_by().values_list("state").annotate(count=Count("pk")))
    oldest = waiting.filter(state=OutboxState.PENDING).aggregate(at=Min("created_at"))["at"]
    return OutboxStanding(
        counts={OutboxState.PENDING.value: 0, OutboxState.DEAD.value: 0} | counts,
        oldest_seconds=0.0 if oldest is None else (now - oldest).total_seconds(),
    )
