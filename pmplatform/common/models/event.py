from django.db import models
from django.utils import timezone


class EventKind(models.TextChoices):
    """What the stream and webhooks tell of."""

    MARGIN = "margin"
    WARNING = "warning"
    RUN = "run"
    LIQUIDATION = "liquidation"
    PARAMETERS = "parameters"


#: Kinds without a tenant that everybody may read: what is published is no secret.
PUBLIC_KINDS = (EventKind.PARAMETERS,)


class Event(models.Model):
    """Something that happened, for those who listen; its id orders the stream.

    Ids are given one transaction after another (``events_append``), so that nobody who has seen an id will
    ever be shown a smaller one. ``tenant`` is a plain number because this app knows no other; null is for
    the platform alone, unless the kind is public.
    """

    kind = models.CharField(max_length=16, choices=EventKind)
    tenant = models.BigIntegerField(null=True)
    data = models.JSONField()
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["at"], name="event_by_time"),)
        constraints = (
            models.CheckConstraint(condition=models.Q(kind__in=EventKind.values), name="event_kind_known"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
