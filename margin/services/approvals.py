"""Approval of a proposed version: by somebody else, ahead of time, in sight of its impact."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from margin import selectors
from margin.choices import VersionState
from margin.engine.parameters.diff import Change, parameter_diff
from margin.models import ImpactReport, ParameterVersion
from margin.services.telling import version_event
from margin.services.versions import version_audit, version_lock, version_move
from margin.versions import impact_for_approval
from pmplatform.common.errors import Conflict, NotPermitted, Refused
from pmplatform.common.events import events_append
from pmplatform.common.principals import Actor

_ALONE: Final = 1
_TOGETHER: Final = 2


@dataclass(frozen=True, slots=True)
class Hold:
    """What stands between a proposed version and its approval.

    ``reasons`` forbid it; ``cautions`` ask for a second approver.
    """

    report: ImpactReport | None
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def approvals_needed(self) -> int:
        return _TOGETHER if self.cautions else _ALONE


@transaction.atomic
def version_approve(*, version_id: int, actor: Actor, now: datetime) -> ParameterVersion:
    """Approve a proposed version; where two are needed, the first approval is kept and the state stays.

    Raises
    ------
    NotFound, Conflict
    NotPermitted
        For whoever proposed it, or has approved it already.
    Refused
        With every reason of `approval_hold`.
    """
    version = version_lock(version_id)
    if version.state != VersionState.PROPOSED:
        raise Conflict(f"The version is {version.state}; only a proposed one can be approved.")
    if actor.name in (version.proposer, version.approver):
        raise NotPermitted("An approver is neither who proposed the version nor who has approved it already.")
    hold = approval_hold(version=version, now=now)
    if hold.reasons:
        raise Refused(hold.reasons)
    if version.approver is None and hold.approvals_needed == _TOGETHER:
        version.approver = actor.name
        version.approvals_needed = _TOGETHER
        version.save(update_fields=["approver", "approvals_needed"])
        version_audit(version, "approve_first", actor, before=None, reason="; ".join(hold.cautions))
        return version
    _publish(version, hold, actor, now)
    return version


def _publish(version: ParameterVersion, hold: Hold, actor: Actor, now: datetime) -> None:
    role = "approver" if version.approver is None else "second_approver"
    version_move(
        version,
        VersionState.APPROVED,
        "approve",
        actor,
        approved_at=now,
        impact=hold.report,
        **{role: actor.name},
    )
    events_append(events=[version_event(version)], now=now)


def approval_hold(*, version: ParameterVersion, now: datetime) -> Hold:
    """Why a proposed version may not be approved now, and why it takes two."""
    base = selectors.parameters_in_force(version.methodology, now)
    report = impact_for_approval(version, base)
    changes = parameter_diff(base.document, version.document) if base else ()
    return Hold(report, tuple(_reasons(version, report, now)), tuple(_cautions(report, changes)))


def _reasons(version: ParameterVersion, report: ImpactReport | None, now: datetime) -> Iterator[str]:
    if version.effective_from <= now:
        yield f"It was to come into force at {version.effective_from.isoformat()}, which is past."
    taken = selectors.parameters_published().filter(
        methodology=version.methodology, effective_from=version.effective_from
    )
    if taken.exists():
        yield f"{taken.get()} comes into force at the same instant."
    if report is None:
        yield "There is no impact report of this document against the version in force."
        return
    age, most = now - report.snapshot.as_of, settings.PM_IMPACT_MAX_AGE
    if age > most:
        yield (
            f"The market of the impact report is {age.total_seconds():.0f} s old,"
            f" more than {most.total_seconds():.0f} s."
        )
    if report.newly_blocked:
        yield f"{report.newly_blocked} accounts could not be margined under it."


def _cautions(report: ImpactReport | None, changes: tuple[Change, ...]) -> Iterator[str]:
    limit, factor = settings.PM_NEWLY_LIQUIDATABLE_LIMIT, settings.PM_PARAMETER_JUMP
    if report is not None and (report.newly_liquidatable or 0) > limit:
        yield f"{report.newly_liquidatable} accounts would become liquidatable, more than {limit}."
    for change in changes:
        if change.is_drastic(factor):
            yield f"{change.path} goes from {_words(change.old)} to {_words(change.new)}, a drastic change."


def _words(value: Any) -> str:
    if isinstance(value, int | float):
        return f"{value:.6g}"
    return "nothing" if value is None else "other entries"
