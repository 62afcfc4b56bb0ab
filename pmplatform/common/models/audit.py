from django.db import models
from django.utils import timezone


class AuditRow(models.Model):
    """Who changed what, once and for ever: a database trigger refuses update, delete and truncate.

    Changes of balances, positions and orders have a ledger row instead, which is their audit row.
    ``tenant`` is a plain number (null: the platform) because this app knows no other.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.CharField(max_length=150)
    action = models.CharField(max_length=64)
    object_type = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    tenant = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=64)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["object_type", "object_id", "id"], name="audit_by_object"),
            models.Index(fields=["tenant", "id"], name="audit_by_tenant"),
        )
        verbose_name = "audit row"

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id} by {self.actor}"
