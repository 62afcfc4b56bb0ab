from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from margin.choices import GuardKind, SettlementSource
from pmplatform.common.fields import AmountField


class MarketSnapshot(models.Model):
    """One accepted moment of the market; immutable by trigger.

    ``content`` is the compressed canonical JSON of a book document's market object, ``sha256`` the hash
    of those canonical bytes. ``sequence`` rises without gaps being promised. ``settlement`` gives the prices,
    as decimal text by instrument, at which the venue settles what has expired.

    What the guards keep of it (`margin.guards.Memory`): since when the content is the same; ``held`` the
    levels that have jumped, each with [before, seen]; ``carried`` the last known levels that it leaves out.
    """

    sequence = models.BigAutoField(primary_key=True)
    as_of = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now, editable=False)
    source = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    instruments = models.PositiveIntegerField()
    content = models.BinaryField()
    settlement = models.JSONField(default=dict, blank=True)
    unchanged_since = models.DateTimeField()
    held = models.JSONField(default=dict, blank=True)
    carried = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("-sequence",)
        verbose_name = "market snapshot"

    def __str__(self) -> str:
        return f"{self.sequence} {self.as_of:%Y-%m-%d %H:%M:%S}Z"


class MarketGuardEvent(models.Model):
    """What the guards did: refused a snapshot, began or ended a hold, saw the market stand still or move on.

    Append-only by trigger. A refused snapshot is kept by its source, time and reasons alone.
    """

    at = models.DateTimeField(default=timezone.now, editable=False)
    kind = models.CharField(max_length=16, choices=GuardKind)
    source = models.CharField(max_length=64)
    as_of = models.DateTimeField(null=True)
    snapshot = models.ForeignKey(
        MarketSnapshot, null=True, on_delete=models.PROTECT, related_name="guard_events"
    )
    reasons = ArrayField(models.TextField(), default=list)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=GuardKind.values), name="guard_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=GuardKind.REFUSED, snapshot__isnull=True)
                | Q(~Q(kind=GuardKind.REFUSED), as_of__isnull=False, snapshot__isnull=False),
                name="guard_event_has_snapshot_unless_refused",
            ),
        )
        verbose_name = "market guard event"

    def __str__(self) -> str:
        return f"{self.kind} {self.source} {self.at:%Y-%m-%d %H:%M:%S}Z"


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
