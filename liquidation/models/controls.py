from django.db import models
from django.db.models import Q
from django.utils import timezone


class LiquidationControls(models.Model):
    """The one row of switches that every step reads in its transaction; without it all of them are off.

    ``kill_switch`` stops all steps, ``approve_mode`` makes each wait for a person.
    """

    kill_switch = models.BooleanField(default=False)
    approve_mode = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(pk=1), name="liquidation_controls_one_row"),)
        verbose_name = "liquidation controls"
        verbose_name_plural = "liquidation controls"

    def __str__(self) -> str:
        return "kill switch on" if self.kill_switch else "kill switch off"
