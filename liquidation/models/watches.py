from django.db import models
from django.utils import timezone


class MarginWatch(models.Model):
    """What is remembered of an account between runs; an account at rest has no row.

    ``count`` is at how many consecutive fresh snapshots, the last of them ``snapshot``, it was at or past
    its threshold; ``warned_at`` says when its warning was given that is not armed again yet.
    """

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.PROTECT, related_name="margin_watch", primary_key=True
    )
    count = models.PositiveSmallIntegerField(default=0)
    snapshot = models.BigIntegerField()
    warned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-warned_at", "account")
        verbose_name = "margin watch"
        verbose_name_plural = "margin watches"

    def __str__(self) -> str:
        return f"account {self.account_id}"


class RunReview(models.Model):
    """That a completed run has been reviewed for warnings and liquidation."""

    run = models.OneToOneField(
        "margin.MarginRun", on_delete=models.CASCADE, related_name="liquidation_review", primary_key=True
    )
    snapshot = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "run review"

    def __str__(self) -> str:
        return f"run {self.run_id}"
