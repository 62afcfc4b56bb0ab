from django.db import models
from django.db.models import Q
from django.utils import timezone

from liquidation.choices import FundEntryKind
from pmplatform.common.fields import AmountField


class FundBalance(models.Model):
    """Cash of the insurance fund in one currency; it may be negative, as an account's."""

    currency = models.CharField(max_length=16, unique=True)
    amount = AmountField()

    class Meta:
        ordering = ("currency",)
        verbose_name = "fund balance"

    def __str__(self) -> str:
        return self.currency


class FundPosition(models.Model):
    """What the insurance fund has taken over and not sold; a flat position has no row."""

    instrument = models.OneToOneField("accounts.Instrument", on_delete=models.PROTECT, related_name="+")
    quantity = AmountField()
    entry_price = AmountField()

    class Meta:
        ordering = ("instrument__code",)
        constraints = (
            models.CheckConstraint(condition=~Q(quantity=0), name="fund_position_not_flat"),
            models.CheckConstraint(condition=Q(entry_price__gte=0), name="fund_position_price_not_negative"),
        )
        verbose_name = "fund position"

    def __str__(self) -> str:
        return str(self.instrument_id)


class FundEntry(models.Model):
    """One change of the fund's holdings; append-only by trigger. Holdings are the sum of their entries.

    ``subject`` is ``balance:USDT`` or ``position:BTC-USDT-SWAP``, ``amount`` signed, in the currency or in
    contracts, and ``price`` what a position was taken or settled at.
    """

    kind = models.CharField(max_length=12, choices=FundEntryKind)
    subject = models.CharField(max_length=96)
    amount = AmountField()
    price = AmountField(null=True)
    case = models.ForeignKey(
        "liquidation.LiquidationCase", null=True, on_delete=models.PROTECT, related_name="fund_entries"
    )
    by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=FundEntryKind.values), name="fund_entry_kind_known"),
            models.CheckConstraint(condition=~Q(amount=0), name="fund_entry_moves_something"),
        )
        verbose_name = "fund entry"
        verbose_name_plural = "fund entries"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
