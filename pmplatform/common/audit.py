"""Writes the audit trail, in the transaction of the change it records."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pmplatform.common.bulk import rows_copy
from pmplatform.common.models import AuditRow
from pmplatform.common.principals import Actor

_COPIED = ("at", "actor", "action", "object_type", "object_id", "tenant", "after", "reason", "request_id")


@dataclass(frozen=True, slots=True)
class Told:
    """What a bulk change did to one object; ``after`` is plain JSON."""

    object_id: int | str
    after: object
    reason: str = ""


def audit_append(
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: int | str,
    tenant_id: int | None,
    before: object = None,
    after: object = None,
    reason: str = "",
) -> AuditRow:
    """Record who changed what; ``before`` and ``after`` are plain JSON, decimals as strings."""
    return AuditRow.objects.create(
        actor=actor.name,
        request_id=actor.request_id,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        tenant=tenant_id,
        before=before,
        after=after,
        reason=reason,
    )


def audit_copy(
    *, actor: Actor, action: str, object_type: str, tenant_id: int | None, told: Iterable[Told], now: datetime
) -> None:
    """Record the same action on many new objects, by COPY."""
    rows_copy(
        table=AuditRow._meta.db_table,
        columns=_COPIED,
        rows=(
            (
                now,
                actor.name,
                action,
                object_type,
                str(each.object_id),
                tenant_id,
                json.dumps(each.after),
                each.reason,
                actor.request_id,
            )
            for each in told
        ),
    )
