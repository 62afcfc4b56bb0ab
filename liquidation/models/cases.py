from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from liquidation.choices import CaseOutcome, CaseState, CaseTrigger, StepState


class LiquidationCase(models.Model):
    """An account being brought back to safety; one that is live per account.

    A worker claims it with a lease and a ``fence``, as a part of a run. ``attempts`` counts those since the
    last committed step. ``blocked`` says why the last attempt was not allowed to act, ``failure`` why it
    failed. ``opened_at_position`` is the account's ledger position before the case, from which its
    conservation is checked; ``residuals`` is what did not add up when it closed: nothing, if all is well.
    ``proposal`` is what waits for approval, ``approved_step`` the last step that may be taken.
    """

    account = models.ForeignKey(
        "accounts.Account", on_delete=models.PROTECT, related_name="liquidation_cases"
    )
    trigger = models.CharField(max_length=16, choices=CaseTrigger)
    state = models.CharField(max_length=20, choices=CaseState, default=CaseState.WORKING)
    outcome = models.CharField(max_length=16, choices=CaseOutcome, null=True, blank=True)
    deficit_usd = models.FloatField()
    evidence = models.JSONField()
    opened_at_position = models.BigIntegerField()
    steps_done = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    approved_step = models.PositiveIntegerField(default=0)
    proposal = models.JSONField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    blocked = models.TextField(blank=True)
    failure = models.TextField(blank=True)
    takeover = models.JSONField(null=True, blank=True)
    residuals = models.JSONField(null=True, blank=True)
    opened_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = (("operate_liquidation", "May approve, pause and resume cases, and use the controls"),)
        indexes = (
            models.Index(
                fields=["-deficit_usd", "id"], condition=Q(state="working"), name="liquidation_case_queue"
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["account"], condition=~Q(state=CaseState.CLOSED), name="liquidation_case_one_live"
            ),
            models.CheckConstraint(
                condition=Q(trigger__in=CaseTrigger.values), name="liquidation_case_trigger_known"
            ),
            models.CheckConstraint(
                condition=Q(state__in=CaseState.values), name="liquidation_case_state_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True) | Q(outcome__in=CaseOutcome.values),
                name="liquidation_case_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=CaseState.CLOSED,
                    closed_at__isnull=False,
                    outcome__isnull=False,
                    lease_until__isnull=True,
                )
                | (~Q(state=CaseState.CLOSED) & Q(closed_at__isnull=True, outcome__isnull=True)),
                name="liquidation_case_closed_has_outcome",
            ),
        )
        verbose_name = "liquidation case"

    def __str__(self) -> str:
        return f"case {self.pk}"


class LiquidationStep(models.Model):
    """One step of a case; frozen by trigger once it is done.

    ``before`` and ``after`` are the figures of the plan, ``reached`` those of the account when all orders
    had ended (on paper the same). ``trades`` and ``conversions`` are as in the plan document; ``effects``
    what the step has booked, by currency and instrument, as decimal text. ``fence`` is that of the claim
    under which it was planned, ``max_age`` how old in seconds its snapshot might have been.
    """

    case = models.ForeignKey(LiquidationCase, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=StepState, default=StepState.PLANNED)
    kind = models.CharField(max_length=16)
    unit = models.CharField(max_length=32, null=True, blank=True)
    component = models.CharField(max_length=32, null=True, blank=True)
    reason = models.TextField()
    cost_usd = models.FloatField()
    trades = models.JSONField()
    conversions = models.JSONField()
    cancelled = models.PositiveIntegerField()
    before = models.JSONField()
    after = models.JSONField()
    reached = models.JSONField(null=True, blank=True)
    effects = models.JSONField(default=dict)
    underlyings = ArrayField(models.CharField(max_length=16))
    snapshot = models.ForeignKey("margin.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    parameters = models.CharField(max_length=64)
    parameters_sha256 = models.CharField(max_length=64)
    engine = models.CharField(max_length=32)
    input_sha256 = models.CharField(max_length=64)
    fence = models.PositiveIntegerField()
    max_age = models.FloatField()
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("case", "number")
        constraints = (
            models.UniqueConstraint(fields=["case", "number"], name="liquidation_step_once"),
            models.CheckConstraint(
                condition=Q(state__in=StepState.values), name="liquidation_step_state_known"
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="liquidation_step_numbered_from_one"),
            models.CheckConstraint(
                condition=Q(state=StepState.DONE, done_at__isnull=False, reached__isnull=False)
                | Q(state=StepState.PLANNED, done_at__isnull=True),
                name="liquidation_step_done_has_figures",
            ),
        )
        verbose_name = "liquidation step"

    def __str__(self) -> str:
        return f"step {self.number} of case {self.case_id}"
