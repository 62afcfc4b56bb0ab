from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.choices import OrderSide
from liquidation.choices import OrderStatus
from pmplatform.common.fields import AmountField


class LiquidationOrder(models.Model):
    """One trade of a step as it goes to the venue, written before it is sent.

    ``key`` is a hash of case, step, leg and the refusals before it: whoever sends it again sends the same
    order. ``limit_price`` is within the price band of ``mark``.
    """

    step = models.ForeignKey("liquidation.LiquidationStep", on_delete=models.PROTECT, related_name="orders")
    leg = models.PositiveSmallIntegerField()
    refusals = models.PositiveIntegerField()
    key = models.CharField(max_length=64)
    instrument = models.ForeignKey("accounts.Instrument", on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=8, choices=OrderSide)
    quantity = AmountField()
    mark = AmountField()
    limit_price = AmountField()
    expected_fee = AmountField()
    fee_currency = models.CharField(max_length=16)
    status = models.CharField(max_length=12, choices=OrderStatus, default=OrderStatus.NEW)
    failure = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["key"], name="liquidation_order_key_once"),
            models.CheckConstraint(
                condition=Q(status__in=OrderStatus.values), name="liquidation_order_status_known"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="liquidation_order_quantity_positive"),
            models.CheckConstraint(
                condition=Q(limit_price__gte=0), name="liquidation_order_limit_not_negative"
            ),
        )
        verbose_name = "liquidation order"

    def __str__(self) -> str:
        return f"{self.side} {self.instrument_id} {self.key[:8]}"


class LiquidationFill(models.Model):
    """A fill of an order by the venue's name for it; reported twice it is booked once. Append-only."""

    order = models.ForeignKey(LiquidationOrder, on_delete=models.PROTECT, related_name="fills")
    fill = models.OneToOneField("accounts.Fill", on_delete=models.PROTECT, related_name="liquidation")
    venue_id = models.CharField(max_length=128)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["order", "venue_id"], name="liquidation_fill_once"),)
        verbose_name = "liquidation fill"

    def __str__(self) -> str:
        return self.venue_id
