from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.choices import OrderSide, OrderState
from pmplatform.common.fields import AmountField


class Order(models.Model):
    """A limit order. ``quantity`` is what was asked for, ``open_quantity`` what margin still counts."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="orders")
    instrument = models.ForeignKey("accounts.Instrument", on_delete=models.PROTECT, related_name="orders")
    client_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=8, choices=OrderSide)
    quantity = AmountField()
    open_quantity = AmountField()
    price = AmountField()
    state = models.CharField(max_length=16, choices=OrderState, default=OrderState.OPEN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=["account", "id"], condition=Q(state="open"), name="order_open_by_account"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["account", "client_id"], condition=~Q(client_id=""), name="order_client_id_once"
            ),
            models.CheckConstraint(condition=Q(side__in=OrderSide.values), name="order_side_known"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=Q(price__gte=0), name="order_price_not_negative"),
            models.CheckConstraint(
                condition=Q(open_quantity__gte=0, open_quantity__lte=F("quantity")),
                name="order_open_within_quantity",
            ),
            models.CheckConstraint(
                condition=Q(state=OrderState.OPEN, open_quantity__gt=0)
                | Q(state=OrderState.FILLED, open_quantity=0)
                | Q(state=OrderState.CANCELLED),
                name="order_state_fits_open_quantity",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk} {self.side} {self.instrument_id}"
