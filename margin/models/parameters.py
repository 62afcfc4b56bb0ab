from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.choices import Methodology
from margin.choices import ImpactState, VersionOrigin, VersionState
from margin.lifecycle import PUBLISHED

_PUBLISHED = Q(state__in=PUBLISHED)


def _person() -> models.CharField:  # type: ignore[type-arg]  # generic in the stubs only
    """The name of a principal; null for nobody, so that constraints can speak of it."""
    return models.CharField(max_length=160, null=True, blank=True)


class ParameterVersion(models.Model):
    """One version of a methodology's parameters. In force is a function of time over the published ones.

    A trigger freezes everything but the state and who moved it once the version is proposed, and lets the
    state take the moves of `margin.lifecycle` only. ``approvals_needed`` says how many people besides the
    proposer had to agree, by the impact report that they saw.
    """

    methodology = models.CharField(max_length=16, choices=Methodology)
    version = models.CharField(max_length=64)
    effective_from = models.DateTimeField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    origin = models.CharField(max_length=16, choices=VersionOrigin)
    state = models.CharField(max_length=16, choices=VersionState, default=VersionState.DRAFT)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = _person()
    proposer = _person()
    proposed_at = models.DateTimeField(null=True, blank=True)
    approver = _person()
    second_approver = _person()
    approvals_needed = models.PositiveSmallIntegerField(default=1)
    approved_at = models.DateTimeField(null=True, blank=True)
    impact = models.ForeignKey(
        "margin.ImpactReport", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    closed_by = _person()
    closed_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    restores = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ("methodology", "effective_from")
        permissions = (
            ("propose_parameterversion", "May draft, propose and withdraw parameter versions"),
            ("approve_parameterversion", "May approve, reject and roll back parameter versions"),
        )
        constraints = (
            models.UniqueConstraint(fields=["methodology", "version"], name="parameter_version_once"),
            models.UniqueConstraint(
                fields=["methodology", "effective_from"], condition=_PUBLISHED, name="parameter_instant_once"
            ),
            models.CheckConstraint(
                condition=Q(methodology__in=Methodology.values), name="parameter_methodology_known"
            ),
            models.CheckConstraint(condition=Q(state__in=VersionState.values), name="parameter_state_known"),
            models.CheckConstraint(
                condition=Q(origin__in=VersionOrigin.values), name="parameter_origin_known"
            ),
            models.CheckConstraint(
                condition=Q(approver__isnull=True) | (Q(proposer__isnull=False) & ~Q(approver=F("proposer"))),
                name="parameter_approver_is_not_proposer",
            ),
            models.CheckConstraint(
                condition=Q(second_approver__isnull=True)
                | (
                    Q(approver__isnull=False)
                    & ~Q(second_approver=F("proposer"))
                    & ~Q(second_approver=F("approver"))
                ),
                name="parameter_second_approver_is_a_third_person",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[VersionState.DRAFT, VersionState.WITHDRAWN])
                | Q(origin=VersionOrigin.INITIAL)
                | Q(proposer__isnull=False, proposed_at__isnull=False),
                name="parameter_proposed_by_somebody",
            ),
            models.CheckConstraint(
                condition=~_PUBLISHED
                | ~Q(origin=VersionOrigin.PROPOSAL)
                | Q(
                    approver__isnull=False,
                    approved_at__isnull=False,
                    approved_at__lt=F("effective_from"),
                    impact__isnull=False,
                ),
                name="parameter_published_by_approval_ahead",
            ),
            models.CheckConstraint(
                condition=~_PUBLISHED | Q(approvals_needed=1) | Q(second_approver__isnull=False),
                name="parameter_held_for_second_approver",
            ),
            models.CheckConstraint(
                condition=~Q(origin=VersionOrigin.ROLLBACK)
                | (Q(replaces__isnull=False, restores__isnull=False) & ~Q(reason="")),
                name="parameter_rollback_names_both",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[VersionState.REJECTED, VersionState.WITHDRAWN])
                | (
                    Q(closed_by__isnull=False, closed_at__isnull=False)
                    & (Q(approved_at__isnull=True) | Q(closed_at__lt=F("effective_from")))
                ),
                name="parameter_closed_before_in_force",
            ),
        )
        verbose_name = "parameter version"

    def __str__(self) -> str:
        return f"{self.methodology} {self.version}"


class ImpactReport(models.Model):
    """What one version would do to every account of its methodology in place of another, at one snapshot.

    Both were margined by distributed runs of their own over one cut of the book. Immutable once completed.
    """

    base = models.ForeignKey(ParameterVersion, on_delete=models.PROTECT, related_name="+")
    proposed = models.ForeignKey(ParameterVersion, on_delete=models.PROTECT, related_name="impacts")
    base_sha256 = models.CharField(max_length=64)
    document_sha256 = models.CharField(max_length=64)
    snapshot = models.ForeignKey("margin.MarketSnapshot", on_delete=models.PROTECT, related_name="+")
    base_run = models.ForeignKey("margin.MarginRun", on_delete=models.PROTECT, related_name="+")
    proposed_run = models.ForeignKey("margin.MarginRun", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=ImpactState, default=ImpactState.RUNNING)
    newly_liquidatable = models.PositiveIntegerField(null=True, blank=True)
    newly_blocked = models.PositiveIntegerField(null=True, blank=True)
    report = models.JSONField(null=True, blank=True)
    failure = models.TextField(blank=True)
    requested_by = models.CharField(max_length=160)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["id"], condition=Q(state="running"), name="impact_running"),
            models.Index(fields=["proposed", "-id"], name="impact_by_proposed"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["base", "proposed"], condition=Q(state="running"), name="impact_one_at_a_time"
            ),
            models.CheckConstraint(condition=Q(state__in=ImpactState.values), name="impact_state_known"),
            models.CheckConstraint(
                condition=~Q(state=ImpactState.COMPLETED)
                | Q(
                    report__isnull=False,
                    newly_liquidatable__isnull=False,
                    newly_blocked__isnull=False,
                    finished_at__isnull=False,
                ),
                name="impact_completed_has_report",
            ),
        )
        verbose_name = "impact report"

    def __str__(self) -> str:
        return f"{self.base} to {self.proposed.version} at snapshot {self.snapshot_id}"
