from django.db import models
from django.utils import timezone


class MarketSnapshot(models.Model):
    """One accepted moment of the market; immutable by trigger.

    ``content`` is the compressed canonical JSON of a book document's market object, ``sha256`` the hash
    of those canonical bytes. ``sequence`` rises without gaps being promised.
    """

    sequence = models.BigAutoField(primary_key=True)
    as_of = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    source = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    instruments = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        ordering = ("-sequence",)
        verbose_name = "market snapshot"

    def __str__(self) -> str:
        return f"{self.sequence} {self.as_of:%Y-%m-%d %H:%M:%S}Z"
