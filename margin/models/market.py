from django.db import models
from django.db.models import Q
from django.utils import timezone

from margin.choices import SettlementSource
from pmplatform.common.fields import AmountField


class MarketSnapshot(models.Model):
    """One accepted moment of the market; immutable by trigger.

    ``content`` is the compressed canonical JSON of a book document's market object, ``sha256`` the hash
    of those canonical bytes. ``sequence`` rises without gaps being promised. ``settlement`` gives the prices,
    as decimal text by instrument, at which the venue settles what has expired.
    """

    sequence = models.BigAutoField(primary_key=True)
    as_of = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    source = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    instruments = models.PositiveIntegerField()
    content = models.BinaryField()
    settlement = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-sequence",)
        verbose_name = "market snapshot"

    def __str__(self) -> str:
        return f"{self.sequence} {self.as_of:%Y-%m-%d %H:%M:%S}Z"


class SettlementPrice(models.Model):
    """The price of the underlying at which every position in an expired instrument settles.

    Fixed once, by the first snapshot after expiry that has one; immutable by trigger.
    """

    instrument = models.OneToOneField(
        "accounts.Instrument", on_delete=models.PROTECT, related_name="settlement_price"
    )
    snapshot = models.ForeignKey(MarketSnapshot, on_delete=models.PROTECT, related_name="settlement_prices")
    source = models.CharField(max_length=16, choices=SettlementSource)
    price = AmountField()
    fixed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(price__gt=0), name="settlement_price_is_positive"),
            models.CheckConstraint(
                condition=Q(source__in=SettlementSource.values), name="settlement_price_source_known"
            ),
        )
        verbose_name = "settlement price"

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.price}"
