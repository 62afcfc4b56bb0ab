from django.db import models
from django.utils import timezone


class OutboxState(models.TextChoices):
    PENDING = "pending"
    PUBLISHED = "published"
    DEAD = "dead", "dead-lettered"


class OutboxRow(models.Model):
    """A message that commits with the change it tells of. The payload carries row ids, never figures."""

    topic = models.CharField(max_length=64)
    payload = models.JSONField()
    state = models.CharField(max_length=16, choices=OutboxState, default=OutboxState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    available_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=["available_at", "id"],
                condition=models.Q(state="pending"),
                name="outbox_pending",
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state__in=OutboxState.values), name="outbox_state_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state="published", published_at__isnull=False)
                | (~models.Q(state="published") & models.Q(published_at__isnull=True)),
                name="outbox_published_has_time",
            ),
        )
        verbose_name = "outbox row"

    def __str__(self) -> str:
        return f"{self.topic} {self.payload}"
