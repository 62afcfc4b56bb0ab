from django.db import models
from django.utils import timezone

from accounts.choices import LedgerKind
from pmplatform.common.fields import AmountField


class LedgerEntry(models.Model):
    """One change of one account, append-only by trigger. Its id is the ledger position.

    ``subject`` names what changed (``balance:USDT``, ``position:BTC-USDT-SWAP``, ``order:17``,
    ``hedge-limits``), ``before`` and ``after`` its state as JSON with decimals as strings; null where
    there was, or is, nothing. The state of an account is the last ``after`` of each subject.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="ledger")
    kind = models.CharField(max_length=16, choices=LedgerKind)
    subject = models.CharField(max_length=96)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["account", "id"], name="ledger_by_account"),)
        constraints = (
            models.CheckConstraint(condition=models.Q(kind__in=LedgerKind.values), name="ledger_kind_known"),
        )
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.subject}"


class Balance(models.Model):
    """Cash of one currency; negative cash is allowed (it may be covered by UPL, or be a borrowing)."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="balances")
    currency = models.CharField(max_length=16)
    amount = AmountField()

    class Meta:
        ordering = ("currency",)
        constraints = (
            models.UniqueConstraint(fields=["account", "currency"], name="balance_once_per_currency"),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.currency}"


class Position(models.Model):
    """A signed quantity of contracts; a flat position has no row."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="positions")
    instrument = models.ForeignKey("accounts.Instrument", on_delete=models.PROTECT, related_name="positions")
    quantity = AmountField()
    entry_price = AmountField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["account", "instrument"], name="position_once_per_instrument"),
            models.CheckConstraint(condition=~models.Q(quantity=0), name="position_not_flat"),
            models.CheckConstraint(
                condition=models.Q(entry_price__gte=0), name="position_entry_price_not_negative"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.instrument_id}"
