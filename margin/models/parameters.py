from django.db import models
from django.utils import timezone

from accounts.choices import Methodology


class ParameterVersion(models.Model):
    """One version of a methodology's parameters; immutable by trigger. In force is a function of time."""

    methodology = models.CharField(max_length=16, choices=Methodology)
    version = models.CharField(max_length=64)
    effective_from = models.DateTimeField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    origin = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("methodology", "effective_from")
        constraints = (
            models.UniqueConstraint(fields=["methodology", "version"], name="parameter_version_once"),
            models.UniqueConstraint(fields=["methodology", "effective_from"], name="parameter_instant_once"),
            models.CheckConstraint(
                condition=models.Q(methodology__in=Methodology.values), name="parameter_methodology_known"
            ),
        )
        verbose_name = "parameter version"

    def __str__(self) -> str:
        return f"{self.methodology} {self.version}"
