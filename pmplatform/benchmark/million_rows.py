"""Rows of cold runs over more and more accounts, database to database: time for each, memory, and disk."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from django.conf import settings
from django.db import connection

from accounts.models import Tenant
from pmplatform.benchmark.growth_rows import Grown, grown_measures
from pmplatform.benchmark.measures import Measure
from pmplatform.benchmark.peaks import Peaks
from pmplatform.benchmark.running import KEPT, RunFailed, Timed, kept_forget, run_timed
from pmplatform.benchmark.stored import accounts_fill, snapshot_next, stage
from pmplatform.benchmark.system import WORKERS, workers
from pmplatform.benchmark.timing import seconds_of

#: Small books are run often, so that the accounts of all runs of a size are about so many.
_ACCOUNTS_RUN: Final = 300_000
_MOST_RUNS: Final = 9
#: Disk that an account needs, with its results, what is kept of it and the log of the database.
_BYTES_EACH: Final = 10_000


def million_measures(sizes: Sequence[int]) -> Iterator[Measure]:
    """Fill an empty database step by step, and run the whole book at each size by two real workers."""
    free = shutil.disk_usage(settings.PM_DATA_DIR).free
    if free < _BYTES_EACH * sizes[-1]:
        raise RunFailed(f"{sizes[-1]:,} accounts may need {_BYTES_EACH * sizes[-1] / 2**30:.0f} GiB of disk")
    stage()
    grown: list[Grown] = []
    filling = 0.0
    with workers():
        for before, size in zip((0, *sizes), sizes, strict=False):
            filling += seconds_of(lambda: _fill(before, size))  # noqa: B023 - called in this very turn
            peaks = Peaks()
            runs = [_cold(peaks) for _ in range(min(_MOST_RUNS, max(1, _ACCOUNTS_RUN // size)))]
            grown.append(Grown(size, median(run.seconds for run in runs), max(peaks.own, peaks.started)))
    last = runs[-1]
    yield from grown_measures(
        grown,
        "cold runs",
        f"{WORKERS} workers, in PostgreSQL; the last took {last.seconds:.0f} s, its cut {last.start:.0f} s",
        f"cut in {peaks.own:.2f} GiB, workers {peaks.started:.2f} GiB; "
        f"on disk {_disk()}; filled in {filling:.0f} s",
    )


def _fill(before: int, size: int) -> None:
    """Accounts until there are so many, and what the database does about them when it finds the time."""
    accounts_fill(before, size - before, Tenant.objects.get().pk)
    with connection.cursor() as cursor:
        for upkeep in ("VACUUM ANALYZE", "CHECKPOINT"):
            cursor.execute(upkeep)


def _cold(peaks: Peaks) -> Timed:
    kept_forget()
    snapshot_next()
    return run_timed(meanwhile=lambda _: peaks.look())


def _disk() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        [stored] = cursor.fetchone()
    files = [file for name in KEPT for file in (Path(settings.PM_DATA_DIR) / name).rglob("*")]
    kept = sum(file.stat().st_size for file in files)
    return f"{stored / 2**30:.1f} GiB of database and {kept / 2**30:.1f} GiB of kept shards"
