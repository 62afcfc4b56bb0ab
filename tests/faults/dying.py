"""Margin workers that die, or stop, at named points of their work, as `tests.support.ending` has them.

Each takes over what the one before has held, and works as the tasks do until its point.
"""

import os
from functools import partial
from typing import Final

import django
from django.db.models import F

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmplatform.settings")
    django.setup()

from margin import tasks  # needs the apps
from margin.choices import PartKind, PartState
from margin.models import MarginRunPart
from margin.services import parts
from margin.services.changes import accounts_behind, accounts_remargin
from margin.services.parts import Claim
from margin.services.runs import run_advance
from tests.faults.stage import a_minute_passes
from tests.support.ending import ENDS, end_after, fork_workers, options_reader

#: By point: what a worker is at, and the function after whose return it ends.
POINTS: Final = {
    "change margined": ("change", "margin.services.changes:changed_shard"),
    "run of a change written": ("change", "margin.services.changes:run_insert"),
    "change written": ("change", "margin.services.changes:results_write"),
    "change told": ("change", "margin.services.changes:events_append"),
    "stress part claimed": ("stress", "margin.tasks:part_claim"),
    "arrays stored": ("stress", "margin.services.parts:blob_store"),
    "stress part done": ("stress", "margin.services.parts:part_finish"),
    "stress part committed": ("stress", "margin.tasks:stress"),
    "shard part claimed": ("margin", "margin.tasks:part_claim"),
    "shard margined": ("margin", "margin.services.parts:shard_results"),
    "results copied": ("margin", "margin.services.results:columns_copy"),
    "reports copied": ("margin", "margin.services.results:rows_copy"),
    "results written": ("margin", "margin.services.parts:results_write"),
    "run moved on": ("margin", "margin.services.parts:run_advance"),
    "shard part done": ("margin", "margin.services.parts:part_finish"),
    "shard part committed": ("margin", "margin.tasks:margin"),
    "run closed": ("margin", "margin.services.runs:run_close"),
    "run committed": ("margin", "margin.tasks:enqueue_conclusions"),
}


def finish_without_fence(*, claim: Claim, result_sha256: str = "") -> list[int]:
    """`part_finish` as it would be if whoever once claimed a part had it for ever."""
    MarginRunPart.objects.filter(pk=claim.part.pk).update(
        state=PartState.DONE, lease_until=None, result_sha256=result_sha256
    )
    return run_advance(run_id=claim.part.run_id)


def parts_wait(kind: PartKind) -> list[int]:
    """Parts of the stage that is under way and this kind, those first that have been tried least."""
    waiting = MarginRunPart.objects.filter(kind=kind, run__state=F("kind")).exclude(state=PartState.DONE)
    return list(waiting.order_by("attempts", "id").values_list("id", flat=True))


def work(kind: PartKind) -> None:
    """Work on the parts of a kind until none is left."""
    task = tasks.run_stress if kind == PartKind.STRESS else tasks.run_margin
    while waiting := parts_wait(kind):
        task(waiting[0])


def worker(manner: str, point: str) -> None:
    """Work until the point, and on to the end if there is any work after it."""
    a_minute_passes()
    at, target = POINTS[point]
    if at == "margin":
        work(PartKind.STRESS)
    end_after(target, ENDS[manner])
    if at == "change":
        accounts_remargin(account_ids=accounts_behind())
    else:
        work(PartKind(at))


if __name__ == "__main__":
    reader = options_reader()
    reader.add_argument("--without-fence", action="store_true")
    options = reader.parse_args()
    if options.without_fence:
        parts.part_finish = finish_without_fence
    fork_workers(options.points, partial(worker, options.manner))
