"""A run: did it work, how fast, and what failed, why?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.safestring import SafeString

from margin import overview, selectors
from margin.choices import PartKind, PartState, RunState
from margin.models import MarginRun, MarginRunPart
from pmplatform.common.console import NOTHING, Mark, count, duration, marked

_RECENT: Final = 20
#: So many accounts that could not be margined are shown.
_BLOCKED: Final = 50
_RUN_MARKS: Final = {
    RunState.STRESS: Mark("warning", "◐"),
    RunState.MARGIN: Mark("warning", "◐"),
    RunState.COMPLETED: Mark("safe", "●"),
    RunState.FAILED: Mark("danger", "■"),
}
_PART_MARKS: Final = {
    PartState.PENDING: Mark("warning", "○"),
    PartState.CLAIMED: Mark("warning", "◐"),
    PartState.DONE: Mark("safe", "●"),
    PartState.QUARANTINED: Mark("danger", "■"),
}


@dataclass(frozen=True, slots=True)
class PartRow:
    """A risk unit that is stressed or a shard that is margined."""

    name: str
    state: SafeString
    attempts: int
    accounts: SafeString
    took: str
    failure: str


@dataclass(frozen=True, slots=True)
class Phase:
    """The parts of one kind, and how many of them are done, in per cent."""

    name: str
    done: int
    total: int
    percent: float
    rows: tuple[PartRow, ...]


@dataclass(frozen=True, slots=True)
class Duration:
    """A completed run beside its neighbours; ``width`` against the longest, in per cent."""

    pk: int
    text: str
    width: float
    is_shown: bool


@dataclass(frozen=True)
class RunPage:
    state: SafeString
    took: str
    throughput: SafeString
    phases: tuple[Phase, ...]
    recent: tuple[Duration, ...]
    blocked: tuple[tuple[str, str], ...]
    blocked_count: int


def run_page(run: MarginRun) -> RunPage:
    """The page of a run."""
    parts = list(selectors.run_parts(run.pk))
    took = _took(run)
    seconds = took.total_seconds() if took else 0.0
    return RunPage(
        state=run_mark(run.state),
        took=duration(took),
        throughput=count(round(run.accounts / seconds)) if seconds else SafeString(NOTHING),
        phases=tuple(_phases(parts)),
        recent=tuple(_durations(run)),
        blocked=tuple(sorted(run.blocked.items(), key=lambda item: int(item[0]))[:_BLOCKED]),
        blocked_count=len(run.blocked),
    )


def run_mark(state: str) -> SafeString:
    """A run's state as word, shape and colour."""
    known = RunState(state)
    return marked(str(known.label), _RUN_MARKS[known])


def _took(run: MarginRun) -> timedelta | None:
    return run.finished_at - run.created_at if run.finished_at else None


def _phases(parts: list[MarginRunPart]) -> Iterator[Phase]:
    for kind, name in ((PartKind.STRESS, "Stress, by risk unit"), (PartKind.MARGIN, "Margin, by shard")):
        mine = [part for part in parts if part.kind == kind]
        done = sum(part.state == PartState.DONE for part in mine)
        rows = tuple(map(_part, mine))
        yield Phase(name, done, len(mine), round(100 * done / (len(mine) or 1), 2), rows)


def _part(part: MarginRunPart) -> PartRow:
    known = PartState(part.state)
    ended = part.finished_at is not None and part.started_at is not None
    return PartRow(
        name=part.name,
        state=marked(str(known.label), _PART_MARKS[known]),
        attempts=part.attempts,
        accounts=count(part.accounts) if part.kind == PartKind.MARGIN else SafeString(NOTHING),
        took=duration(part.finished_at - part.started_at if ended else None),  # type: ignore[operator]
        failure=part.failure,
    )


def _durations(shown: MarginRun) -> Iterator[Duration]:
    """The last completed runs up to this one, the oldest first."""
    runs = overview.book_runs().filter(state=RunState.COMPLETED, pk__lte=shown.pk).order_by("-id")[:_RECENT]
    times = [(run.pk, took) for run in reversed(runs) if (took := _took(run)) is not None]
    longest = max((took for _, took in times), default=timedelta(seconds=1))
    for pk, took in times:
        yield Duration(pk, duration(took), round(100 * (took / longest), 2), pk == shown.pk)
