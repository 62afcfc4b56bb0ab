from django.db import models

from margin.choices import MarginStatus


def _of(to: str, related_name: str = "+") -> models.ForeignKey:  # type: ignore[type-arg]
    """The run or account of a row; a trigger looks for those of all rows of a statement at once.

    Looked for row by row, as PostgreSQL does for a foreign key, they would take as long as the writing. Every
    index that is needed begins with a unique constraint's columns, or is named.
    """
    return models.ForeignKey(
        to, on_delete=models.PROTECT, related_name=related_name, db_index=False, db_constraint=False
    )


def _money(*, null: bool = False) -> models.DecimalField:  # type: ignore[type-arg]  # generic in the stubs only
    return models.DecimalField(max_digits=38, decimal_places=8, null=null)


class MarginResult(models.Model):
    """An account's margin in one run; append-only by trigger.

    ``ledger_position`` is the account's own, of which the result is; with the run's ``snapshot`` it decides
    which of two results is newer, whenever each was written. Money is rounded against the account: equity
    down, requirements up. ``part`` names the shard it was margined in. The figures under `standard` are of
    the same moment and holdings; they are null where the run had no version of it that prices the market.
    """

    run = _of("margin.MarginRun", "results")
    account = _of("accounts.Account", "margin_results")
    # Written with it in one transaction.
    part = models.ForeignKey(
        "margin.MarginRunPart",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # The run's, repeated for the index; that it exists is the run's to hold.
    snapshot = models.ForeignKey(
        "margin.MarketSnapshot",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    ledger_position = models.BigIntegerField()
    status = models.CharField(max_length=12, choices=MarginStatus)
    net_equity = _money()
    adjusted_equity = _money()
    mmr = _money()
    imr = _money()
    margin_ratio = models.FloatField(null=True)
    imr_rate = models.FloatField(null=True)
    leverage = models.FloatField(null=True)
    standard_mmr = _money(null=True)
    standard_imr = _money(null=True)
    standard_ratio = models.FloatField(null=True)
    input_sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ("run", "account")
        constraints = (models.UniqueConstraint(fields=["run", "account"], name="margin_result_once_in_run"),)
        indexes = (
            models.Index(
                fields=["account", "-ledger_position", "-snapshot", "-run"], name="margin_result_newest"
            ),
        )
        verbose_name = "margin result"

    def __str__(self) -> str:
        return f"run {self.run_id} account {self.account_id}"


class UnitResult(models.Model):
    """One risk unit of an account in one run, of the binding order set; append-only by trigger.

    Components and scenarios are in the account's report.
    """

    run = _of("margin.MarginRun", "unit_results")
    account = _of("accounts.Account", "unit_results")
    unit = models.CharField(max_length=32)
    binding = models.CharField(max_length=40)
    mmr = _money()
    imr = _money()
    spot_in_use = models.FloatField()
    delta = models.FloatField()
    cash_delta = models.FloatField()

    class Meta:
        ordering = ("run", "account", "unit")
        constraints = (
            models.UniqueConstraint(fields=["run", "account", "unit"], name="unit_result_once_in_run"),
        )
        verbose_name = "unit result"

    def __str__(self) -> str:
        return f"run {self.run_id} account {self.account_id} {self.unit}"


class MarginReport(models.Model):
    """The bytes of a margin report, at the full precision of the engine; append-only by trigger.

    A result whose report nobody has read has none yet, unless it is one to act upon.
    """

    run = _of("margin.MarginRun")
    account = _of("accounts.Account")
    content = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "account"], name="margin_report_once_in_run"),)
        verbose_name = "margin report"

    def __str__(self) -> str:
        return f"run {self.run_id} account {self.account_id}"
