"""Reads of market, parameters, runs and results."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value

from accounts.choices import BelowMinimum, EligibilityState, Methodology
from accounts.eligibility import EligibilityRules
from margin.assembly import unpack_market
from margin.choices import PartState, RunReason, RunState
from margin.engine.documents.market import MarketRows
from margin.engine.parameters.library import Library, Parameters, read_version
from margin.engine.parameters.standard import StandardParameters
from margin.lifecycle import PUBLISHED
from margin.models import (
    MarginResult,
    MarginRun,
    MarginRunPart,
    MarketSnapshot,
    ParameterVersion,
    SettlementPrice,
    UnitResult,
)
from pmplatform.common.columns import plain_value
from pmplatform.common.errors import NotFound

_BLOB: Final = "SELECT content FROM margin_blob WHERE key = %(key)s"
#: What is newer: what knows more of the account or, of the same, a later market.
NEWEST: Final = ("-ledger_position", "-snapshot_id", "-run_id")


def snapshot_latest() -> MarketSnapshot | None:
    """The newest accepted snapshot."""
    return MarketSnapshot.objects.order_by("-sequence").first()


def snapshot_get(sequence: int) -> MarketSnapshot:
    """A snapshot by its sequence."""
    return MarketSnapshot.objects.get(pk=sequence)


@lru_cache(maxsize=8)
def snapshot_label(sequence: int) -> MarketSnapshot:
    """A snapshot without its market; snapshots never change, so a process keeps the last few."""
    return MarketSnapshot.objects.defer("content").get(pk=sequence)


def snapshot_latest_at(moment: datetime) -> MarketSnapshot | None:
    """The snapshot that was the newest at a moment of the market."""
    return MarketSnapshot.objects.filter(as_of__lte=moment).order_by("-sequence").first()


def snapshot_first_after(moment: datetime) -> MarketSnapshot:
    """The first snapshot taken at `moment` or later; there has to be one."""
    return MarketSnapshot.objects.filter(as_of__gte=moment).earliest("sequence")


def snapshot_first_unheld_after(moment: datetime) -> MarketSnapshot | None:
    """The first snapshot taken at `moment` or later that holds no jump."""
    return MarketSnapshot.objects.filter(as_of__gte=moment, held={}).order_by("sequence").first()


@lru_cache(maxsize=4)
def snapshot_market(sequence: int) -> MarketRows:
    """The market of a snapshot; snapshots never change, so a worker keeps the last few."""
    snapshot = MarketSnapshot.objects.get(pk=sequence)
    return unpack_market(bytes(snapshot.content), snapshot.as_of)


def parameters_published() -> QuerySet[ParameterVersion]:
    """The versions that are, were or will be in force."""
    return ParameterVersion.objects.filter(state__in=PUBLISHED)


def parameters_in_force(methodology: str, at: datetime) -> ParameterVersion | None:
    """The last published version effective at or before `at`."""
    versions = parameters_published().filter(methodology=methodology, effective_from__lte=at)
    return versions.order_by("-effective_from").first()


@lru_cache(maxsize=64)
def parameters_read(version: int) -> Parameters:
    """A stored version as the engine's value; versions never change once they are proposed."""
    return read_version(ParameterVersion.objects.get(pk=version).document)


def eligibility_rules(methodology: Methodology, at: datetime) -> EligibilityRules | None:
    """A portfolio methodology's rules by the parameters in force; None for `standard`, or without any."""
    version = parameters_in_force(methodology, at)
    parameters = None if version is None else parameters_read(version.pk)
    if parameters is None or isinstance(parameters, StandardParameters):
        return None
    rules = parameters.eligibility
    return EligibilityRules(
        min_net_equity=Decimal(str(rules.min_net_equity)),
        below_minimum=BelowMinimum(rules.below_minimum),
        confirmations=parameters.liquidation.confirmations,
        grace=timedelta(seconds=rules.grace_seconds),
    )


def eligibility_rules_at(at: datetime) -> dict[Methodology, EligibilityRules]:
    """The rules of every portfolio methodology in force at a time."""
    found = {methodology: eligibility_rules(methodology, at) for methodology in Methodology}
    return {methodology: rules for methodology, rules in found.items() if rules is not None}


def parameter_library() -> Library:
    """Every published version; read anew only after one has been published or withdrawn."""
    return _library(tuple(parameters_published().order_by("pk").values_list("pk", flat=True)))


@lru_cache(maxsize=1)
def _library(versions: tuple[int, ...]) -> Library:
    return Library.of(map(parameters_read, versions))


def parameters_of(report: dict[str, Any]) -> ParameterVersion:
    """The parameter version that a stored report was computed with."""
    return ParameterVersion.objects.get(
        methodology=report["methodology"], version=report["parameters"]["version"]
    )


def thresholds_of(report: dict[str, Any]) -> dict[str, float]:
    """The thresholds of the parameter version that a stored report was computed with."""
    thresholds: dict[str, float] = parameters_of(report).document["thresholds"]
    return thresholds


def blob(key: str) -> bytes | None:
    """Stored bytes by their key."""
    content: bytes | None = plain_value(query=_BLOB, parameters={"key": key})
    return content


def runs() -> QuerySet[MarginRun]:
    """Runs over the book, newest first, with the count of their parts and of those done.

    Those of a few changed accounts, which are without number, are told by their results alone.
    """
    chosen = MarginRun.objects.exclude(reason=RunReason.CHANGE)
    return chosen.select_related("snapshot").annotate(
        parts_total=Count("parts"),
        parts_done=Count("parts", filter=Q(parts__state=PartState.DONE)),
        accounts_done=Sum("parts__accounts", filter=Q(parts__state=PartState.DONE), default=0),
    )


def _book_runs() -> QuerySet[MarginRun]:
    """Runs that say how all accounts stand; those of an impact report say how they would."""
    return MarginRun.objects.exclude(reason__in=[RunReason.IMPACT, RunReason.CHANGE])


def run_of_parts(part_ids: Sequence[int]) -> MarginRun:
    """The run that these parts belong to; without parts the newest, whose book was empty."""
    parts = MarginRunPart.objects.filter(pk__in=part_ids)
    found = runs().filter(pk__in=parts.values("run_id")) if part_ids else runs()
    return found.order_by("-id")[:1].get()


def runs_count() -> dict[str, int]:
    """Runs over the book by state; every state is there."""
    counts = _book_runs().order_by().values_list("state").annotate(count=Count("pk"))
    return {state.value: 0 for state in RunState} | dict(counts)


def run_is_active() -> bool:
    """Whether a run is under way."""
    return _book_runs().filter(state__in=[RunState.STRESS, RunState.MARGIN]).exists()


def snapshot_waits() -> bool:
    """Whether the newest snapshot waits for a run: none is under way, and none was started at it."""
    newest = MarketSnapshot.objects.order_by("-sequence").values("sequence")[:1]
    started = _book_runs().filter(snapshot__gte=Subquery(newest))
    return MarketSnapshot.objects.exists() and not (run_is_active() or started.exists())


def run_latest_completed() -> MarginRun | None:
    """The newest run that covers the whole book."""
    return _book_runs().filter(state=RunState.COMPLETED).order_by("-id").first()


def run_with_arrays() -> MarginRun | None:
    """The run over the newest snapshot of which every risk array is stored; its results may be to come."""
    stressed = _book_runs().filter(state__in=[RunState.MARGIN, RunState.COMPLETED])
    return (
        stressed.select_related("snapshot").defer("snapshot__content").order_by("-snapshot_id", "-id").first()
    )


def run_part(part: int) -> MarginRunPart:
    """A part with its run and snapshot."""
    return MarginRunPart.objects.select_related("run__snapshot").get(pk=part)


def run_parts(run: int) -> QuerySet[MarginRunPart]:
    """The parts of a run in the order in which they were made."""
    return MarginRunPart.objects.filter(run_id=run).order_by("id")


def runs_unreviewed() -> list[int]:
    """Completed runs whose accounts have not been reviewed for eligibility, oldest first."""
    waiting = _book_runs().filter(state=RunState.COMPLETED, reviewed_at__isnull=True)
    return list(waiting.order_by("id").values_list("id", flat=True))


def run_is_left_behind(run: MarginRun) -> bool:
    """Whether a run over a newer snapshot has been reviewed already."""
    return MarginRun.objects.filter(reviewed_at__isnull=False, snapshot__gt=run.snapshot_id).exists()


def results_to_review(run: int, rules: Mapping[Methodology, EligibilityRules]) -> list[tuple[int, Decimal]]:
    """(account id, net equity), by id, of those in a run whose eligibility its snapshot bears upon.

    They are the active accounts below the minimum of their methodology, the suspended ones, and those of
    which something is counted or waited for.
    """
    below = Q()
    for methodology, rule in rules.items():
        below |= Q(account__methodology=methodology, net_equity__lt=rule.min_net_equity)
    concerned = (
        Q(account__eligibility_state=EligibilityState.SUSPENDED)
        | Q(account__watch__isnull=False)
        | (Q(account__eligibility_state=EligibilityState.ACTIVE) & below)
    )
    results = MarginResult.objects.filter(concerned, run_id=run).order_by("account_id")
    return list(results.values_list("account_id", "net_equity"))


def run_get(run: int) -> MarginRun:
    """A run by its id."""
    return MarginRun.objects.select_related("snapshot").get(pk=run)


def settlement_prices(codes: Iterable[str]) -> dict[str, Decimal]:
    """The fixed settlement prices of those of the instruments that have one, by code."""
    prices = SettlementPrice.objects.filter(instrument__code__in=list(codes))
    return dict(prices.values_list("instrument__code", "price"))


def snapshot_latest_from(source: str) -> MarketSnapshot | None:
    """The newest accepted snapshot of a source."""
    return MarketSnapshot.objects.filter(source=source).order_by("-sequence").first()


def results() -> QuerySet[MarginResult]:
    """Results that say, or once said, how accounts stand; their snapshots come without the market."""
    told = MarginResult.objects.filter(run__state=RunState.COMPLETED).exclude(run__reason=RunReason.IMPACT)
    return told.select_related("run__snapshot").defer("run__snapshot__content")


def result_get(result: int) -> MarginResult:
    """Any result by its id, with its run and snapshot; NotFound."""
    told = MarginResult.objects.select_related("run__snapshot").defer("run__snapshot__content")
    found = told.filter(pk=result).first()
    if found is None:
        raise NotFound(f"There is no result {result}.")
    return found


def results_of(account: int) -> QuerySet[MarginResult]:
    """The kept results of an account."""
    return results().filter(account_id=account)


def results_in(run: int, accounts: Sequence[int]) -> QuerySet[MarginResult]:
    """The results of some accounts in any run."""
    return MarginResult.objects.filter(run=run, account__in=accounts).order_by("account_id")


def results_standing(snapshot: int) -> QuerySet[MarginResult]:
    """Results that show their account as it is now, at this snapshot or a later one."""
    return results().filter(snapshot__gte=snapshot, ledger_position__gte=F("account__ledger_position"))


def account_ids_standing(snapshot: int) -> list[int]:
    """Accounts that a result at this snapshot or a later one shows as they are now; in no order.

    The runs are named by id: of one that has just ended the statistics know nothing yet, and joined to it by
    them, or to the accounts that are missing, a hundred thousand rows took minutes.
    """
    ended = MarginRun.objects.filter(snapshot__gte=snapshot, state=RunState.COMPLETED)
    runs = list(ended.exclude(reason=RunReason.IMPACT).order_by("pk").values_list("pk", flat=True))
    rows = MarginResult.objects.filter(run__in=runs, ledger_position__gte=F("account__ledger_position"))
    found: list[int] = rows.aggregate(ids=ArrayAgg("account", default=Value([])))["ids"]
    return found


def runs_blocking(snapshot: int) -> QuerySet[MarginRun]:
    """Completed runs at this snapshot or later that left accounts out, by how far the ledger was."""
    runs_of_it = MarginRun.objects.filter(snapshot__gte=snapshot, state=RunState.COMPLETED)
    return runs_of_it.exclude(reason=RunReason.IMPACT).exclude(blocked={}).order_by("ledger_position", "pk")


def blocked_positions(snapshot: int) -> dict[int, int]:
    """The accounts that could not be margined at this snapshot or later, each with how far the ledger was."""
    rows = runs_blocking(snapshot).values_list("blocked", "ledger_position")
    return {int(account): position for blocked, position in rows for account in blocked}


def results_latest() -> QuerySet[MarginResult]:
    """The newest result of each account that the newest completed run, or a change since, has margined."""
    run = run_latest_completed()
    changed = results().filter(run__reason=RunReason.CHANGE)
    last = changed.order_by("account_id", *NEWEST).distinct("account_id").values("pk")
    not_older = Q(ledger_position__gt=OuterRef("ledger_position")) | Q(
        ledger_position=OuterRef("ledger_position"), snapshot__gte=OuterRef("snapshot")
    )
    of_run = MarginResult.objects.filter(not_older, run=run, account=OuterRef("account"))
    fresh = dict(changed.filter(pk__in=last).exclude(Exists(of_run)).values_list("account", "pk"))
    chosen = Q(run=run) & ~Q(account__in=list(fresh)) | Q(pk__in=list(fresh.values()))
    return MarginResult.objects.filter(chosen).select_related("account", "run__snapshot")


def result_latest(account: int) -> MarginResult | None:
    """The newest result of an account, of whichever run.

    A result is newer that shows a later ledger position or, of the same, a later snapshot: a slow
    computation never overtakes one that knew more.
    """
    return results().filter(account_id=account).order_by(*NEWEST).first()


def unit_results(result: MarginResult) -> QuerySet[UnitResult]:
    """The risk units of a result, largest requirement first."""
    units = UnitResult.objects.filter(run_id=result.run_id, account_id=result.account_id)
    return units.order_by("-mmr", "unit")
