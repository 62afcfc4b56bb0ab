"""Reads of parameter versions and their impact reports."""

from collections.abc import Iterator
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.choices import Methodology
from margin.choices import ImpactState, MarginStatus, RunState, VersionOrigin
from margin.impact import Standing
from margin.models import ImpactReport, MarginResult, ParameterVersion
from margin.selectors import parameters_published
from pmplatform.common.errors import NotFound


def versions() -> QuerySet[ParameterVersion]:
    """All versions, the latest to come into force first; without their documents until one is asked for."""
    return ParameterVersion.objects.defer("document").order_by("methodology", "-effective_from", "-id")


def version_get(*, version_id: int) -> ParameterVersion:
    """Raises NotFound."""
    version = ParameterVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFound("There is no such parameter version.")
    return version


def version_named(*, methodology: str, version: str) -> ParameterVersion:
    """Raises NotFound."""
    found = ParameterVersion.objects.filter(methodology=methodology, version=version).first()
    if found is None:
        raise NotFound(f"{methodology} has no version {version}.")
    return found


def version_before(version: ParameterVersion) -> ParameterVersion | None:
    """The published version that this one takes over from, or would."""
    earlier = parameters_published().filter(
        methodology=version.methodology, effective_from__lt=version.effective_from
    )
    return earlier.exclude(pk=version.pk).order_by("-effective_from").first()


def history(*, methodology: str) -> list[ParameterVersion]:
    """The published versions of a methodology in the order in which they come into force."""
    return list(parameters_published().filter(methodology=methodology).order_by("effective_from"))


def rollback_latest() -> ParameterVersion | None:
    """The newest rollback of any methodology."""
    return versions().filter(origin=VersionOrigin.ROLLBACK).order_by("-created_at").first()


def impacts_of(version: ParameterVersion) -> QuerySet[ImpactReport]:
    """The impact reports of a proposed version, newest first."""
    reports = ImpactReport.objects.filter(proposed=version)
    return reports.select_related("base", "proposed", "snapshot").order_by("-id")


def impact_get(*, report_id: int) -> ImpactReport:
    """Raises NotFound."""
    reports = ImpactReport.objects.select_related("base", "proposed", "snapshot")
    report = reports.filter(pk=report_id).first()
    if report is None:
        raise NotFound("There is no such impact report.")
    return report


def impact_for_approval(version: ParameterVersion, base: ParameterVersion | None) -> ImpactReport | None:
    """The newest completed report of this very document against a base; older ones count no more."""
    reports = impacts_of(version).filter(
        state=ImpactState.COMPLETED, document_sha256=version.sha256, base=base
    )
    return reports.first()


def impacts_ready() -> list[int]:
    """Reports whose two runs have both ended, well or badly, and that are not written yet."""
    ended = RunState.ended()
    waiting = ImpactReport.objects.filter(state=ImpactState.RUNNING)
    ready = waiting.filter(base_run__state__in=ended, proposed_run__state__in=ended)
    return list(ready.order_by("id").values_list("id", flat=True))


def impact_accounts(report: ImpactReport) -> QuerySet[MarginResult]:
    """The results under the proposed version, each with status, MMR and IMR under the base."""
    before = MarginResult.objects.filter(run=report.base_run_id, account=OuterRef("account"))
    results = MarginResult.objects.filter(run=report.proposed_run_id).select_related("account")
    return results.annotate(
        **{
            f"before_{name}": Subquery(before.values(name)[:1])
            for name in ("status", "mmr", "imr", "margin_ratio")
        }
    )


def standings(*, run: int, methodology: str) -> dict[int, Standing]:
    """How every account of a methodology stands in a run, by account id."""
    results = MarginResult.objects.filter(run_id=run)
    figures = ("account_id", "account__code", "status", "mmr", "imr")
    if methodology == Methodology.BYBIT_UTA:
        rated = results.values_list(*figures, "imr_rate")
        return {row[0]: _standing(row, row[4] > 0 and not _within_one(row[5])) for row in _all(rated)}
    covered = results.values_list(*figures, "adjusted_equity")
    return {row[0]: _standing(row, row[5] < row[4]) for row in _all(covered)}


def _all(rows: Any) -> Iterator[tuple[Any, ...]]:
    yield from rows.iterator(chunk_size=10_000)


def _standing(row: tuple[Any, ...], refused: bool) -> Standing:
    return Standing(row[1], MarginStatus(row[2]), float(row[3]), float(row[4]), refused)


def _within_one(rate: float | None) -> bool:
    """A rate is null where the equity base is not positive."""
    return rate is not None and rate <= 1.0
