from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.choices import DeliveryState
from accounts.models.tenant import Tenant
from pmplatform.common.events import EventKind


class Webhook(models.Model):
    """An address that is told of its tenant's events.

    No secret is stored: each is derived from its ``salt`` and the server's pepper. During a rotation the
    one before is valid until ``rotated_until``. Events up to the id ``owed_until`` have been looked at, and
    those that were asked for are owed, or delivered, since.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="webhooks")
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=16, choices=EventKind.choices))
    enabled = models.BooleanField(default=True)
    salt = models.CharField(max_length=32)
    previous_salt = models.CharField(max_length=32, blank=True)
    rotated_until = models.DateTimeField(null=True, blank=True)
    owed_until = models.BigIntegerField(default=0)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(events__len__gt=0) & Q(events__contained_by=EventKind.values),
                name="webhook_events_known",
            ),
            models.CheckConstraint(
                condition=Q(previous_salt="", rotated_until__isnull=True)
                | (~Q(previous_salt="") & Q(rotated_until__isnull=False)),
                name="webhook_rotation_has_end",
            ),
        )

    def __str__(self) -> str:
        return f"webhook {self.pk}"


class WebhookDelivery(models.Model):
    """One event for one webhook, to be delivered at least once.

    An attempt first moves ``available_at`` into the future, so that one whose process dies is made again.
    ``event_id`` and ``body`` outlive the event itself.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.BigIntegerField()
    body = models.TextField()
    state = models.CharField(max_length=12, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    available_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(
                fields=["available_at", "id"], condition=Q(state="pending"), name="delivery_pending"
            ),
        )
        constraints = (
            models.UniqueConstraint(fields=["webhook", "event_id"], name="delivery_once_per_event"),
            models.CheckConstraint(
                condition=Q(state="delivered", delivered_at__isnull=False)
                | (~Q(state="delivered") & Q(delivered_at__isnull=True)),
                name="delivery_delivered_has_time",
            ),
        )
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"

    def __str__(self) -> str:
        return f"{self.webhook} event {self.event_id}"
