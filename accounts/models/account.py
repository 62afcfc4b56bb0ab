from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.choices import HEDGE_MODES, EligibilityState, HedgeMode, Methodology
from pmplatform.common.fields import AmountField


def _hedge_mode_fits() -> Q:
    fits = Q(hedge_mode__isnull=True)
    for methodology in Methodology:
        modes = sorted(HEDGE_MODES[methodology])
        fits |= Q(methodology=methodology, hedge_mode__isnull=False, hedge_mode__in=modes)
    return fits


class Account(models.Model):
    """One pool of balances, positions and orders, margined as a whole.

    ``methodology`` is the holder's choice, ``margin_methodology`` the one in force now.
    ``activation`` is the transition that made it active, with equity and declaration as its evidence.
    ``ledger_position`` is the id of the newest ledger row of this account: two reads that show the same
    position show the same margin inputs.
    """

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="accounts")
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    methodology = models.CharField(max_length=16, choices=Methodology)
    margin_methodology = models.CharField(max_length=16, choices=Methodology)
    hedge_mode = models.CharField(max_length=24, choices=HedgeMode, null=True, blank=True)
    eligibility_state = models.CharField(
        max_length=16, choices=EligibilityState, default=EligibilityState.STANDARD
    )
    activation = models.ForeignKey(
        "accounts.EligibilityTransition",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    reduce_only = models.BooleanField(default=False)
    in_liquidation = models.BooleanField(default=False)
    ledger_position = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["tenant", "code"], name="account_code_once_in_tenant"),
            models.CheckConstraint(condition=~Q(code=""), name="account_code_not_empty"),
            models.CheckConstraint(
                condition=Q(methodology__in=Methodology.values), name="account_methodology_known"
            ),
            models.CheckConstraint(
                condition=Q(margin_methodology__in=[models.F("methodology"), Methodology.STANDARD]),
                name="account_margined_by_choice_or_standard",
            ),
            models.CheckConstraint(
                condition=~Q(eligibility_state__in=[EligibilityState.ACTIVE, EligibilityState.SUSPENDED])
                | Q(activation__isnull=False),
                name="account_active_has_activation",
            ),
            models.CheckConstraint(
                condition=~Q(methodology=Methodology.STANDARD)
                | Q(eligibility_state=EligibilityState.STANDARD),
                name="account_standard_is_not_enrolled",
            ),
            models.CheckConstraint(condition=_hedge_mode_fits(), name="account_hedge_mode_fits_methodology"),
            models.CheckConstraint(
                condition=Q(eligibility_state__in=EligibilityState.values), name="account_eligibility_known"
            ),
        )

    def __str__(self) -> str:
        return self.code


class HedgeLimit(models.Model):
    """How much of a coin's spot may hedge derivatives: a share of it, and at most an amount in coins."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="hedge_limits")
    coin = models.CharField(max_length=16)
    ratio = AmountField(default=1)
    max_amount = AmountField(null=True, blank=True)

    class Meta:
        ordering = ("coin",)
        constraints = (
            models.UniqueConstraint(fields=["account", "coin"], name="hedge_limit_once_per_coin"),
            models.CheckConstraint(condition=Q(ratio__gte=0, ratio__lte=1), name="hedge_limit_ratio_in_unit"),
            models.CheckConstraint(
                condition=Q(max_amount__isnull=True) | Q(max_amount__gte=0),
                name="hedge_limit_amount_not_negative",
            ),
        )
        verbose_name = "hedge limit"

    def __str__(self) -> str:
        return f"{self.account_id} {self.coin}"
