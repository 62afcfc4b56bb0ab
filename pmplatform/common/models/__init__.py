from pmplatform.common.models.audit import AuditPending, AuditRow, AuditSeal
from pmplatform.common.models.event import Event
from pmplatform.common.models.idempotency import IdempotencyRecord
from pmplatform.common.models.outbox import OutboxRow

__all__ = ["AuditPending", "AuditRow", "AuditSeal", "Event", "IdempotencyRecord", "OutboxRow"]
