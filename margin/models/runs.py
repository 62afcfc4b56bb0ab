from django.db import models
from django.db.models import Q
from django.utils import timezone

from margin.choices import PartKind, PartState, RunReason, RunState


class Blob(models.Model):
    """Bytes under the hash of what they were made from: risk arrays, and the columnar shards of a book.

    Writing one twice is harmless: equal keys mean equal bytes.
    """

    key = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    last_used_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.key


class MarginRun(models.Model):
    """One margining of the whole book: pins snapshot, parameter versions, engine and ledger position.

    ``standard_parameters`` is the version of `standard` beside which every account is shown.
    ``blocked`` gives the reason of every account that could not be margined, by account id.
    ``reviewed_at`` says when the eligibility of its accounts was reviewed.
    ``result_sha256`` is a hash over what every part gave, bit by bit, in the order of their names: two runs
    of equal inputs, cut alike, end in the same hash, however often their workers died.
    """

    snapshot = models.ForeignKey("margin.MarketSnapshot", on_delete=models.PROTECT, related_name="runs")
    standard_parameters = models.ForeignKey(
        "margin.ParameterVersion", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    engine = models.CharField(max_length=32)
    ledger_position = models.BigIntegerField()
    reason = models.CharField(max_length=16, choices=RunReason)
    period = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, choices=RunState)
    accounts = models.PositiveIntegerField()
    blocked = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=["id"], condition=Q(state="completed", reviewed_at__isnull=True), name="run_unreviewed"
            ),
            # Those of changes are without number, and are not looked through for the others.
            models.Index(
                fields=["-snapshot", "-id"],
                condition=~Q(reason__in=[RunReason.IMPACT, RunReason.CHANGE]),
                name="run_over_the_book",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["reason", "period"], condition=Q(period__isnull=False), name="run_once_per_period"
            ),
            models.UniqueConstraint(
                fields=["reason"],
                condition=Q(reason=RunReason.SNAPSHOT, state__in=[RunState.STRESS, RunState.MARGIN]),
                name="run_one_by_snapshot_at_a_time",
            ),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[RunState.STRESS, RunState.MARGIN], finished_at__isnull=True)
                | Q(state__in=RunState.ended(), finished_at__isnull=False),
                name="run_finished_has_time",
            ),
        )

    def __str__(self) -> str:
        return f"run {self.pk}"


class MarginRunPart(models.Model):
    """A piece of a run that one worker does: the stress of one risk unit, or the margin of one shard.

    It is claimed with a lease and a ``fence``; a worker whose fence is no longer the part's has lost it,
    and its write is refused. ``holder_pid`` and ``holder_since`` name the session of the claim: where it is
    gone before the lease ends, so is the worker. ``result_sha256`` of a done margin part is over all figures
    of its accounts.
    """

    run = models.ForeignKey(MarginRun, on_delete=models.CASCADE, related_name="parts")
    kind = models.CharField(max_length=8, choices=PartKind)
    name = models.CharField(max_length=96)
    parameters = models.ForeignKey("margin.ParameterVersion", on_delete=models.PROTECT, related_name="+")
    input_key = models.CharField(max_length=64)
    accounts = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=12, choices=PartState, default=PartState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    holder_pid = models.IntegerField(null=True, blank=True, editable=False)
    holder_since = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    result_sha256 = models.CharField(max_length=64, blank=True)
    failure = models.TextField(blank=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=["lease_until"], condition=Q(state="claimed"), name="part_leased"),
            models.Index(fields=["run", "kind", "state"], name="part_by_run"),
        )
        constraints = (
            models.UniqueConstraint(fields=["run", "kind", "name"], name="part_once_in_run"),
            models.CheckConstraint(condition=Q(state__in=PartState.values), name="part_state_known"),
            models.CheckConstraint(
                condition=~Q(state=PartState.CLAIMED) | Q(lease_until__isnull=False),
                name="part_claimed_has_lease",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Session(models.Model):
    """The sessions of the server, as PostgreSQL shows them; ``backend_start`` is null for another's role."""

    pid = models.IntegerField(primary_key=True)
    backend_start = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "pg_stat_activity"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pid)
