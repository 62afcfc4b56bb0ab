"""Reads of how runs stand, for those who watch over the platform."""

from datetime import datetime

from margin.choices import PartState, RunReason
from margin.models import MarginRun, MarginRunPart


def parts_quarantined(since: datetime) -> int:
    """Parts out of attempts, of runs since a time."""
    return MarginRunPart.objects.filter(state=PartState.QUARANTINED, run__created_at__gte=since).count()


def hourly_run_latest() -> MarginRun | None:
    """The newest hourly run, however it stands."""
    return MarginRun.objects.filter(reason=RunReason.HOURLY).order_by("-period").first()
