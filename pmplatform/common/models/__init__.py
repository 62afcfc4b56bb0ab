from pmplatform.common.models.audit import AuditRow
from pmplatform.common.models.event import Event
from pmplatform.common.models.idempotency import IdempotencyRecord
from pmplatform.common.models.outbox import OutboxRow

__all__ = ["AuditRow", "Event", "IdempotencyRecord", "OutboxRow"]
