from django.db import models
from django.db.models import Q
from django.utils import timezone

from margin.choices import RiskMode


class RiskState(models.Model):
    """What may be done in one underlying or, with an empty one, everywhere; without a row, all of it.

    Each change of a row has an audit row. The row of the whole platform is written by a migration.
    """

    underlying = models.CharField(max_length=16, unique=True, blank=True)
    mode = models.CharField(max_length=16, choices=RiskMode, default=RiskMode.ENABLED)
    reason = models.TextField(blank=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("underlying",)
        constraints = (
            models.CheckConstraint(condition=Q(mode__in=RiskMode.values), name="risk_mode_known"),
            models.CheckConstraint(
                condition=Q(mode=RiskMode.ENABLED) | ~Q(reason=""), name="risk_mode_has_reason"
            ),
        )
        verbose_name = "risk state"

    def __str__(self) -> str:
        return f"{self.underlying or 'all'} {self.mode}"
