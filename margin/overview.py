"""Reads of how the whole book stands: totals, distribution, what is closest to liquidation, exposure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Sum, Value, When

from margin import selectors
from margin.choices import MarginStatus, PartKind, PartState, RunReason, RunState
from margin.models import MarginResult, MarginRun, MarginRunPart, UnitResult

#: What a list of results shows of each.
_SHOWN: Final = (
    "status",
    "margin_ratio",
    "adjusted_equity",
    "mmr",
    "account__code",
    "account__tenant__slug",
)


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts of one status."""

    status: MarginStatus
    accounts: int
    equity: Decimal
    mmr: Decimal


@dataclass(frozen=True, slots=True)
class Bin:
    """Accounts by status whose margin ratio is in [low, high)."""

    low: float
    high: float
    counts: Mapping[MarginStatus, int]

    @property
    def accounts(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class BookStanding:
    """The book by its newest results; ``groups`` has every status, safest first.

    ``unmeasured`` is how many accounts have no requirement, and so no ratio.
    """

    groups: tuple[Group, ...]
    bins: tuple[Bin, ...]
    unmeasured: int

    @property
    def accounts(self) -> int:
        return sum(group.accounts for group in self.groups)

    @property
    def equity(self) -> Decimal:
        return sum((group.equity for group in self.groups), Decimal(0))

    @property
    def mmr(self) -> Decimal:
        return sum((group.mmr for group in self.groups), Decimal(0))


@dataclass(frozen=True, slots=True)
class AtRisk:
    """A result, and the ratio that its account had in the run before; None where it is not known."""

    result: MarginResult
    before: float | None

    @property
    def change(self) -> float | None:
        now = self.result.margin_ratio
        return None if now is None or self.before is None else now - self.before


def book_standing(results: QuerySet[MarginResult], edges: Sequence[float]) -> BookStanding:
    """Totals and distribution in one pass; `edges` are the ascending inner bounds of the bins."""
    places = [When(margin_ratio__lt=edge, then=Value(place)) for place, edge in enumerate(edges)]
    place = Case(
        When(margin_ratio__isnull=True, then=Value(None)),
        *places,
        default=Value(len(edges)),
        output_field=IntegerField(null=True),
    )
    rows = results.order_by().annotate(place=place).values("place", "status")
    found = list(rows.annotate(n=Count("id"), equity=Sum("net_equity"), needed=Sum("mmr")))
    return BookStanding(
        groups=tuple(_group(status, found) for status in MarginStatus),
        bins=tuple(
            Bin(low, high, {MarginStatus(row["status"]): row["n"] for row in found if row["place"] == at})
            for at, (low, high) in enumerate(pairwise([0.0, *edges, float("inf")]))
        ),
        unmeasured=sum(row["n"] for row in found if row["place"] is None),
    )


def _group(status: MarginStatus, rows: Sequence[Mapping[str, Any]]) -> Group:
    mine = [row for row in rows if row["status"] == status]
    equity = sum((row["equity"] for row in mine), Decimal(0))
    return Group(
        status, sum(row["n"] for row in mine), equity, sum((row["needed"] for row in mine), Decimal(0))
    )


def results_at_risk(results: QuerySet[MarginResult], previous: int | None, most: int) -> list[AtRisk]:
    """The results with the lowest margin ratios, each beside that of its account in a previous run."""
    lowest = results.filter(margin_ratio__isnull=False).order_by("margin_ratio", "id")
    chosen = list(lowest.select_related(None).select_related("account__tenant").only(*_SHOWN)[:most])
    rows = MarginResult.objects.filter(run=previous, account__in=[result.account_id for result in chosen])
    before = dict(rows.values_list("account_id", "margin_ratio")) if previous else {}
    return [AtRisk(result, before.get(result.account_id)) for result in chosen]


def runs_completed(most: int) -> list[int]:
    """The newest completed runs over the book, by id, the newest first."""
    completed = book_runs().filter(state=RunState.COMPLETED).order_by("-id")
    return list(completed.values_list("id", flat=True)[:most])


def book_runs() -> QuerySet[MarginRun]:
    """Runs that say how all accounts stand, without their snapshots' content."""
    chosen = MarginRun.objects.exclude(reason__in=[RunReason.IMPACT, RunReason.CHANGE])
    return chosen.select_related("snapshot").defer("snapshot__content")


def thresholds_in_force(at: datetime) -> list[dict[str, float]]:
    """The thresholds of every methodology's parameters in force."""
    versions = selectors.parameters_published().filter(effective_from__lte=at)
    newest = versions.order_by("methodology", "-effective_from").distinct("methodology")
    return list(newest.values_list("document__thresholds", flat=True))


def unit_exposures(run: int | None) -> list[dict[str, Any]]:
    """Requirement and delta by risk unit over a run, the largest requirement first."""
    units = UnitResult.objects.filter(run=run).order_by().values("unit")
    sums = units.annotate(
        accounts=Count("id"),
        mmr_sum=Sum("mmr"),
        imr_sum=Sum("imr"),
        net_delta=Sum("delta"),
        net_cash_delta=Sum("cash_delta"),
    )
    return [dict(row) for row in sums.order_by("-mmr_sum", "unit")]


@dataclass(frozen=True)
class RunProgress:
    """The run under way, or else the last one; ``usual`` is how long the last completed ones took."""

    run: MarginRun
    done: Mapping[str, int]
    total: Mapping[str, int]
    usual: timedelta | None

    @property
    def is_active(self) -> bool:
        return self.run.state in (RunState.STRESS, RunState.MARGIN)

    @property
    def fraction(self) -> float:
        return sum(self.done.values()) / (sum(self.total.values()) or 1)


def run_progress(recent: int) -> RunProgress | None:
    """Progress of the newest run beside the usual duration of `recent` completed ones; None before any."""
    runs = list(book_runs().order_by("-id")[: recent + 1])
    if not runs:
        return None
    newest = runs[0]
    parts = MarginRunPart.objects.filter(run=newest).order_by().values("kind")
    counts = parts.annotate(n=Count("id"), finished=Count("id", filter=Q(state=PartState.DONE)))
    rows = {row["kind"]: row for row in counts}
    ended = [run.finished_at - run.created_at for run in runs[1:] if run.finished_at]
    return RunProgress(
        run=newest,
        done={kind: rows[kind]["finished"] for kind in PartKind if kind in rows},
        total={kind: rows[kind]["n"] for kind in PartKind if kind in rows},
        usual=sorted(ended)[len(ended) // 2] if ended else None,
    )


def ratio_history(account: int, most: int) -> list[dict[str, Any]]:
    """Equity, MMR and IMR of an account over its newest kept results, oldest first."""
    rows = selectors.results_of(account).order_by("-run_id").annotate(at=F("run__snapshot__as_of"))
    newest = rows.values("id", "at", "adjusted_equity", "mmr", "imr", "margin_ratio", "status")[:most]
    return [dict(row) for row in newest][::-1]
