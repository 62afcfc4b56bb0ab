"""Writes the audit trail, in the transaction of the change it records."""

from pmplatform.common.models import AuditRow
from pmplatform.common.principals import Actor


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
