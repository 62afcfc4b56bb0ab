from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.choices import OrderSide
from pmplatform.common.fields import AmountField


class Fill(models.Model):
    """A trade as it was reported; append-only by trigger. Its effects are rows of the ledger.

    ``client_id`` names it for whoever reported it: a second report of it has no second effect. A negative
    fee is a rebate.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="fills")
    order = models.ForeignKey("accounts.Order", null=True, on_delete=models.PROTECT, related_name="fills")
    instrument = models.ForeignKey("accounts.Instrument", on_delete=models.PROTECT, related_name="fills")
    client_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=8, choices=OrderSide)
    quantity = AmountField()
    price = AmountField()
    fee = AmountField()
    fee_currency = models.CharField(max_length=16)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["account", "id"], name="fill_by_account"),)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "client_id"], condition=~Q(client_id=""), name="fill_client_id_once"
            ),
            models.CheckConstraint(condition=Q(side__in=OrderSide.values), name="fill_side_known"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="fill_quantity_positive"),
            models.CheckConstraint(condition=Q(price__gte=0), name="fill_price_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.side} {self.instrument_id}"


class Transfer(models.Model):
    """Cash that came in or, negative, went out; append-only by trigger. ``client_id`` as of a fill."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="transfers")
    client_id = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=16)
    amount = AmountField()
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["account", "id"], name="transfer_by_account"),)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "client_id"], condition=~Q(client_id=""), name="transfer_client_id_once"
            ),
            models.CheckConstraint(condition=~Q(amount=0), name="transfer_moves_something"),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.currency}"


class Settlement(models.Model):
    """The settling of one account's position in one expired instrument, once; append-only by trigger.

    ``price`` is that of the underlying; ``cash`` what the position, of ``quantity`` contracts before, paid
    in the instrument's settle currency.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="settlements")
    instrument = models.ForeignKey(
        "accounts.Instrument", on_delete=models.PROTECT, related_name="settlements"
    )
    quantity = AmountField()
    price = AmountField()
    cash = AmountField()
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["account", "instrument"], name="settlement_once"),
            models.CheckConstraint(condition=Q(price__gt=0), name="settlement_price_positive"),
            models.CheckConstraint(condition=~Q(quantity=0), name="settlement_of_a_position"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.instrument_id}"
