"""Forgetting the runs of passing snapshots, while every account keeps its newest result."""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from margin import selectors
from margin.choices import RunReason, RunState
from margin.models import Blob, MarginReport, MarginResult, MarginRun, MarginRunPart, UnitResult

#: Runs started by a snapshot that are kept in full; all others are kept.
KEPT_RUNS = 20
#: How long a blob that no part names is left: a run about to name it has just marked it as used.
BLOB_REST = timedelta(minutes=10)


@transaction.atomic
def runs_prune(*, keep: int = KEPT_RUNS) -> int:
    """Delete results, parts and blobs of all but the newest `keep` snapshot runs; returns how many runs went.

    Those of changes before the oldest that is kept go as well. The run's own row stays, with its hash. A run
    that holds the newest result of any account is left whole.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL pm.retention = 'on'")
    ended = MarginRun.objects.filter(state__in=RunState.ended())
    kept = list(ended.filter(reason=RunReason.SNAPSHOT).order_by("-id").values_list("id", flat=True)[:keep])
    passing = Q(reason=RunReason.SNAPSHOT)
    if kept:
        passing |= Q(reason=RunReason.CHANGE, id__lt=kept[-1])
    old = ended.filter(passing, parts__isnull=False).exclude(pk__in=kept).distinct()
    newest = selectors.results().order_by("account_id", *selectors.NEWEST).distinct("account_id")
    going = list(old.exclude(pk__in=newest.values("run_id")).values_list("id", flat=True))
    MarginReport.objects.filter(run_id__in=going).delete()
    UnitResult.objects.filter(run_id__in=going).delete()
    MarginResult.objects.filter(run_id__in=going).delete()
    MarginRunPart.objects.filter(run_id__in=going).delete()
    unused = Blob.objects.filter(last_used_at__lt=timezone.now() - BLOB_REST)
    unused.exclude(key__in=MarginRunPart.objects.values("input_key")).delete()
    return len(going)
