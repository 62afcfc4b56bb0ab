from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.choices import EligibilityState, Methodology, TransitionKind
from pmplatform.common.fields import AmountField

_ACTIVE = EligibilityState.ACTIVE
_EQUITY_SHOWN = Q(snapshot__isnull=False, net_equity__isnull=False, min_net_equity__isnull=False) & Q(
    net_equity__gte=F("min_net_equity")
)


class Declaration(models.Model):
    """One version of the declaration of understanding; immutable by trigger. The newest is the current."""

    version = models.CharField(max_length=32, unique=True)
    text = models.TextField()
    published_by = models.CharField(max_length=150)
    published_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(condition=~Q(version=""), name="declaration_version_not_empty"),
            models.CheckConstraint(condition=~Q(text=""), name="declaration_text_not_empty"),
        )

    def __str__(self) -> str:
        return self.version


class DeclarationAcceptance(models.Model):
    """Who accepted a declaration for an account, when and from where; append-only by trigger."""

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="acceptances")
    declaration = models.ForeignKey(Declaration, on_delete=models.PROTECT, related_name="acceptances")
    by = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now, editable=False)
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["account", "declaration"], name="declaration_accepted_once"),
        )
        verbose_name = "declaration acceptance"

    def __str__(self) -> str:
        return f"{self.account_id} {self.declaration_id}"


class EligibilityTransition(models.Model):
    """One move of an account's eligibility or margin methodology, with its evidence; append-only by trigger.

    ``snapshot`` is the sequence of the market snapshot that the equity was seen at. An activation shows
    equity at the minimum; an enrolment the accepted declaration too. For an account that was loaded active
    the loader vouches, and for one that the schema of today was laid over.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.PROTECT, related_name="transitions")
    kind = models.CharField(max_length=16, choices=TransitionKind)
    from_state = models.CharField(max_length=16, choices=EligibilityState)
    to_state = models.CharField(max_length=16, choices=EligibilityState)
    methodology = models.CharField(max_length=16, choices=Methodology)
    from_margin = models.CharField(max_length=16, choices=Methodology)
    to_margin = models.CharField(max_length=16, choices=Methodology)
    reasons = models.JSONField(default=list, blank=True)
    snapshot = models.BigIntegerField(null=True, blank=True)
    net_equity = AmountField(null=True, blank=True)
    min_net_equity = AmountField(null=True, blank=True)
    acceptance = models.ForeignKey(
        DeclarationAcceptance, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    evidence = models.JSONField(default=dict, blank=True)
    by = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = (models.Index(fields=["account", "-id"], name="transition_by_account"),)
        constraints = (
            models.CheckConstraint(condition=Q(kind__in=TransitionKind.values), name="transition_kind_known"),
            models.CheckConstraint(
                condition=~Q(to_state=_ACTIVE)
                | Q(from_state=_ACTIVE)
                | Q(kind=TransitionKind.LOADED)
                | (Q(kind=TransitionKind.RESTORED) & _EQUITY_SHOWN)
                | (Q(kind=TransitionKind.ENROLLED, acceptance__isnull=False) & _EQUITY_SHOWN),
                name="transition_activates_on_equity_and_declaration",
            ),
        )
        verbose_name = "eligibility transition"

    def __str__(self) -> str:
        return f"{self.account_id} {self.kind}"


class EligibilityWatch(models.Model):
    """What is being counted or waited for of an account; one without has nothing pending.

    ``count`` consecutive fresh snapshots, the last of them ``snapshot``, speak for leaving its state;
    ``margin_due_at`` ends its grace period.
    """

    account = models.OneToOneField(
        "accounts.Account", on_delete=models.CASCADE, related_name="watch", primary_key=True
    )
    count = models.PositiveSmallIntegerField()
    snapshot = models.BigIntegerField()
    margin_due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(count__gt=0) | Q(margin_due_at__isnull=False), name="watch_has_something_pending"
            ),
        )
        verbose_name = "eligibility watch"
        verbose_name_plural = "eligibility watches"

    def __str__(self) -> str:
        return f"{self.account_id} {self.count}"
