"""Impact reports: the accounts of a methodology margined under two versions by two distributed runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import selectors as accounts
from margin import selectors
from margin.choices import ImpactState, RunReason, RunState, VersionState
from margin.engine.methodologies.registry import OFFERED
from margin.impact import Components, Standings, account_change, impact_report, largest_changes
from margin.models import ImpactReport, MarginRun, MarketSnapshot, ParameterVersion
from margin.services.cutting import BookCut, accounts_cut
from margin.services.reports import report_of
from margin.services.runs import run_advance, run_create
from margin.versions import standings
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Refused
from pmplatform.common.principals import Actor
from pmplatform.common.transactions import one_view


def impact_start(
    *, base: ParameterVersion, proposed: ParameterVersion, actor: Actor, now: datetime
) -> tuple[ImpactReport, list[int]]:
    """As `impact_write`, in a transaction of its own."""
    with one_view():
        return impact_write(base=base, proposed=proposed, actor=actor, now=now)


def impact_write(
    *, base: ParameterVersion, proposed: ParameterVersion, actor: Actor, now: datetime
) -> tuple[ImpactReport, list[int]]:
    """Start both runs at the newest snapshot; returns the report to come and the parts to be worked on now.

    Inside of `one_view`, which the caller opens, so that both versions see the same accounts. While a report
    on the same two versions is under way, that one is returned.

    Raises
    ------
    Refused
        For a draft, versions of different methodologies, or without a market snapshot.
    """
    _comparable(base, proposed)
    running = ImpactReport.objects.filter(base=base, proposed=proposed, state=ImpactState.RUNNING)
    if report := running.first():
        return report, []
    snapshot = selectors.snapshot_latest()
    if snapshot is None:
        raise Refused(["There is no market snapshot to margin by; load one first."])
    ids = accounts.account_ids_by_methodology().get(base.methodology, [])
    runs = [_run(version, ids, snapshot) for version in (base, proposed)]
    report = ImpactReport.objects.create(
        base=base,
        proposed=proposed,
        base_sha256=base.sha256,
        document_sha256=proposed.sha256,
        snapshot=snapshot,
        base_run=runs[0],
        proposed_run=runs[1],
        requested_by=actor.name,
        created_at=now,
    )
    _audit(report, "parameters.impact", actor)
    return report, [part for run in runs for part in run_advance(run_id=run.pk)]


def _comparable(base: ParameterVersion, proposed: ParameterVersion) -> None:
    if base.methodology != proposed.methodology:
        raise Refused([f"{base} and {proposed} are of different methodologies."])
    if base.pk == proposed.pk:
        raise Refused([f"{base} is to be compared with another version than itself."])
    for version in (base, proposed):
        if version.state == VersionState.DRAFT:
            raise Refused([f"{version} is a draft, which may still change; propose it first."])
    if base.methodology not in OFFERED:
        raise Refused([f"{base.methodology} is not offered yet."])


def _run(version: ParameterVersion, ids: Sequence[int], snapshot: MarketSnapshot) -> MarginRun:
    cut = BookCut()
    accounts_cut(cut, version=version, ids=ids, snapshot=snapshot)
    return run_create(snapshot=snapshot, cut=cut, reason=RunReason.IMPACT)


@transaction.atomic
def impact_finish(*, report_id: int, now: datetime) -> ImpactReport:
    """Write a report once both its runs have ended; anything else leaves it as it is."""
    report = ImpactReport.objects.select_for_update().get(pk=report_id)
    runs = (report.base_run, report.proposed_run)
    states = {run.state for run in runs}
    if report.state != ImpactState.RUNNING or states & {RunState.STRESS, RunState.MARGIN}:
        return report
    if states == {RunState.COMPLETED}:
        found = _figures(report)
        report.report = found
        report.newly_liquidatable = found["newly_liquidatable"]["count"]
        report.newly_blocked = len(found["newly_blocked"])
        report.state = ImpactState.COMPLETED
    else:
        report.failure = "; ".join(run.failure for run in runs if run.failure)
        report.state = ImpactState.FAILED
    report.finished_at = now
    report.save()
    return report


def _figures(report: ImpactReport) -> dict[str, Any]:
    methodology = report.proposed.methodology
    before, after = (
        standings(run=run.pk, methodology=methodology) for run in (report.base_run, report.proposed_run)
    )
    known, blocked = report.base_run.blocked, report.proposed_run.blocked
    return {
        **impact_report(before, after),
        "largest": _largest(report, before, after),
        "blocked": len(known),
        "newly_blocked": {account: why for account, why in blocked.items() if account not in known},
    }


def _largest(report: ImpactReport, before: Standings, after: Standings) -> list[dict[str, Any]]:
    largest = largest_changes(before, after)
    old = _components(report.base_run_id, largest)
    new = _components(report.proposed_run_id, largest)
    return [
        account_change(account, before[account], after[account], (old[account], new[account]))
        for account in largest
    ]


def _components(run: int, accounts: Sequence[int]) -> dict[int, Components]:
    """MMR components of some accounts in a run by (risk unit, component)."""
    return {
        result.account_id: {
            (unit["unit"], name): value
            for unit in report_of(result)["risk_units"]
            for name, value in unit["components"].items()
        }
        for result in selectors.results_in(run, accounts)
    }


def _audit(report: ImpactReport, action: str, actor: Actor) -> None:
    audit_append(
        actor=actor,
        action=action,
        object_type="impact_report",
        object_id=report.pk,
        tenant_id=None,
        after={
            "base": report.base.version,
            "proposed": report.proposed.version,
            "sha256": report.document_sha256,
            "snapshot": report.snapshot_id,
        },
    )
