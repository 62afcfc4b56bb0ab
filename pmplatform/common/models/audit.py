from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
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


class AuditPending(models.Model):
    """Rows of an audited table that have committed and are not sealed yet; written by a trigger."""

    source = models.CharField(max_length=63)
    row_ids = ArrayField(models.BigIntegerField())
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("id",)
        verbose_name = "pending audit rows"
        verbose_name_plural = "pending audit rows"

    def __str__(self) -> str:
        return f"{len(self.row_ids)} of {self.source}"


class AuditSeal(models.Model):
    """A link of the audit chain: a hash over rows of one table and over the link before; append-only.

    ``rows_sha256`` is over the content of the rows, in the order of ``row_ids``; ``sha256`` over everything
    else of the seal. The first link has an empty ``previous_sha256``.
    """

    sequence = models.BigIntegerField(primary_key=True)
    source = models.CharField(max_length=63)
    row_ids = ArrayField(models.BigIntegerField())
    rows_sha256 = models.CharField(max_length=64)
    previous_sha256 = models.CharField(max_length=64, unique=True, blank=True)
    sha256 = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("sequence",)
        constraints = (
            models.CheckConstraint(condition=models.Q(sequence__gte=1), name="audit_seal_numbered_from_one"),
        )
        verbose_name = "audit seal"

    def __str__(self) -> str:
        return f"{self.sequence}:{self.sha256}"
