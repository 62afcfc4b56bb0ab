"""A parameter version as its console page shows it: where it stands, what it changes, whom it would hit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.safestring import SafeString

from margin import selectors, versions
from margin.choices import ImpactState, MarginStatus, VersionOrigin, VersionState
from margin.console.layout import text_of
from margin.console.report import status_mark
from margin.console.words import component_label
from margin.engine.parameters.diff import Change, parameter_diff
from margin.lifecycle import PUBLISHED
from margin.models import ImpactReport, ParameterVersion
from margin.services.approvals import Hold, approval_hold
from pmplatform.common.console import Mark, marked, money, percent_move

_MARKS: Final = {
    VersionState.DRAFT: Mark("plain", "○"),
    VersionState.PROPOSED: Mark("warning", "◆"),
    VersionState.APPROVED: Mark("safe", "◔"),
    VersionState.SCHEDULED: Mark("safe", "◑"),
    VersionState.ACTIVE: Mark("safe", "●"),
    VersionState.SUPERSEDED: Mark("plain", "◌"),
    VersionState.REJECTED: Mark("danger", "■"),
    VersionState.WITHDRAWN: Mark("plain", "□"),
}
_NOTHING: Final = "\N{EN DASH}"
_CENT: Final = 0.01


@dataclass(frozen=True, slots=True)
class Powers:
    """Who looks at a version, as an actor's name, and what their roles let them do."""

    actor: str
    may_propose: bool
    may_approve: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A step that a button of the page takes; ``words`` say what follows."""

    name: str
    label: str
    words: str
    needs_reason: bool = False
    is_grave: bool = False


@dataclass(frozen=True, slots=True)
class ChangeRow:
    path: str
    old: str
    new: str
    relative: str
    is_drastic: bool


@dataclass(frozen=True, slots=True)
class TotalRow:
    label: str
    before: SafeString
    after: SafeString
    change: SafeString
    relative: str


@dataclass(frozen=True, slots=True)
class Bin:
    """A column of the histogram; ``part`` is its length in per cent of the longest."""

    label: str
    accounts: int
    part: float


@dataclass(frozen=True, slots=True)
class Hit:
    """Accounts of which something becomes true: how many, and the first of them by code."""

    label: str
    count: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LargestRow:
    code: str
    before: SafeString
    after: SafeString
    mmr: TotalRow
    components: tuple[TotalRow, ...]


@dataclass(frozen=True, slots=True)
class ImpactView:
    """An impact report; ``words`` say what state it is in when it has no figures."""

    report: ImpactReport
    words: str
    totals: tuple[TotalRow, ...] = ()
    bins: tuple[Bin, ...] = ()
    hits: tuple[Hit, ...] = ()
    largest: tuple[LargestRow, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionPage:
    """``hold`` is None for a version that does not wait for an approval."""

    version: ParameterVersion
    state: SafeString
    moves: tuple[Move, ...]
    may_draft: bool
    hold: Hold | None
    is_own: bool
    base: ParameterVersion | None
    bases: tuple[str, ...]
    changes: tuple[ChangeRow, ...]
    impact: ImpactView | None
    document: str


def version_page(version: ParameterVersion, powers: Powers, base: str | None, now: datetime) -> VersionPage:
    """The page of a version beside ``base``, by default the one that it takes over from."""
    others = [row for row in versions.history(methodology=version.methodology) if row.pk != version.pk]
    named = next((row for row in others if row.version == base), None)
    chosen = named or versions.version_before(version)
    hold = approval_hold(version=version, now=now) if version.state == VersionState.PROPOSED else None
    newest = versions.impacts_of(version).first()
    changes = parameter_diff(chosen.document, version.document) if chosen else ()
    return VersionPage(
        version=version,
        state=version_mark(version.state),
        moves=tuple(_moves(version, powers, hold, now)),
        may_draft=powers.may_propose,
        hold=hold,
        is_own=powers.actor == version.proposer,
        base=chosen,
        bases=tuple(row.version for row in reversed(others)),
        changes=tuple(map(change_row, changes)),
        impact=None if newest is None else impact_view(newest),
        document=text_of(version.document),
    )


def version_mark(state: str) -> SafeString:
    """A version's state as word, shape and colour."""
    known = VersionState(state)
    return marked(str(known.label), _MARKS[known])


def _moves(version: ParameterVersion, powers: Powers, hold: Hold | None, now: datetime) -> Iterator[Move]:
    """The steps that this person may take now: none that would be refused for who they are."""
    state = VersionState(version.state)
    if powers.may_propose and state == VersionState.DRAFT:
        yield Move("propose", "Propose", "The document is frozen and put before an approver.")
    if powers.may_propose and state == VersionState.PROPOSED:
        yield Move("impact", "Report the impact", "Every account is margined under both versions.")
    is_other = powers.actor not in (version.proposer, version.approver)
    if powers.may_approve and hold is not None and is_other and not hold.reasons:
        yield Move("approve", "Approve", _approval_words(version, hold), is_grave=True)
    if powers.may_approve and state == VersionState.PROPOSED:
        yield Move("reject", "Reject", "The proposal ends here.", needs_reason=True)
    if powers.may_approve and state == VersionState.APPROVED:
        yield Move("schedule", "Schedule", "It is put on the calendar, as the clock will do by itself.")
    if powers.may_propose and _may_be_withdrawn(state, version.effective_from > now):
        yield Move("withdraw", "Withdraw", "It will never be in force.", needs_reason=True)
    if powers.may_approve and state == VersionState.SUPERSEDED:
        words = "Its content is in force again at once, as a new version; everybody is alarmed."
        yield Move("rollback", "Roll back to this version", words, needs_reason=True, is_grave=True)


def _may_be_withdrawn(state: VersionState, is_to_come: bool) -> bool:
    if state in (VersionState.APPROVED, VersionState.SCHEDULED):
        return is_to_come
    return state in (VersionState.DRAFT, VersionState.PROPOSED)


def _approval_words(version: ParameterVersion, hold: Hold) -> str:
    first = version.approver is None and hold.cautions
    if first:
        return "It takes two approvers; this is the first approval, and the version stays proposed."
    return f"It comes into force at {version.effective_from:%Y-%m-%d %H:%M} UTC."


def change_row(change: Change) -> ChangeRow:
    """One difference in words; drastic as the platform's limit says."""
    return ChangeRow(
        path=change.path,
        old=_value(change.old),
        new=_value(change.new),
        relative="" if change.relative is None else percent_move(change.relative),
        is_drastic=change.is_drastic(settings.PM_PARAMETER_JUMP),
    )


def _value(value: Any) -> str:
    if value is None:
        return _NOTHING
    return f"{value:,.10g}" if _is_number(value) else json.dumps(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def impact_view(report: ImpactReport) -> ImpactView:
    """A report for reading."""
    if report.state != ImpactState.COMPLETED:
        words = report.failure or "It is being computed; look again in a moment."
        return ImpactView(report, words)
    found: Mapping[str, Any] = report.report or {}
    return ImpactView(
        report=report,
        words="",
        totals=(_total("MMR, USD", found["mmr"]), _total("IMR, USD", found["imr"])),
        bins=tuple(_bins(found["histogram"])),
        hits=tuple(_hits(found)),
        largest=tuple(map(_largest, found["largest"])),
    )


def _total(label: str, moved: Mapping[str, Any]) -> TotalRow:
    relative = _NOTHING if moved["ratio"] is None else percent_move(moved["ratio"])
    return TotalRow(
        label,
        money(moved["before"]),
        money(moved["after"]),
        money(moved["change"], signed=True),
        relative,
    )


def _bins(histogram: Sequence[Mapping[str, Any]]) -> Iterator[Bin]:
    most = max((column["accounts"] for column in histogram), default=0) or 1
    for column in histogram:
        low, high = column["from"], column["to"]
        if low is None:
            label = f"below {percent_move(high)}"
        elif high is None:
            label = f"{percent_move(low)} and more"
        else:
            label = f"{percent_move(low)} to {percent_move(high)}"
        yield Bin(label, column["accounts"], round(100.0 * column["accounts"] / most, 1))


def _hits(found: Mapping[str, Any]) -> Iterator[Hit]:
    for name in ("liquidatable", "warned", "refused"):
        newly = found[f"newly_{name}"]
        yield Hit(f"Newly {name}", newly["count"], tuple(row["code"] for row in newly["accounts"]))
    yield Hit("No more to be margined", len(found["newly_blocked"]), tuple(found["newly_blocked"].values()))


def _largest(row: Mapping[str, Any]) -> LargestRow:
    before, after = (status_mark(MarginStatus(status)) for status in row["status"])
    return LargestRow(
        code=row["code"],
        before=before,
        after=after,
        mmr=_total("MMR, USD", row["mmr"]),
        components=tuple(
            _total(f"{item['unit']} {component_label(item['component'])}", item)
            for item in row["components"]
            if abs(item["change"]) >= _CENT
        ),
    )


def in_force_note(version: ParameterVersion, now: datetime) -> str:
    """Whether it is in force, in words."""
    if version.state not in PUBLISHED:
        return "not in force"
    current = selectors.parameters_in_force(version.methodology, now)
    if current is not None and current.pk == version.pk:
        return "in force"
    return "to come" if version.effective_from > now else "was in force"


def origin_words(version: ParameterVersion) -> str:
    """Where a version comes from."""
    if version.origin == VersionOrigin.ROLLBACK:
        return f"rollback to {version.restores}, in place of {version.replaces}"
    return str(VersionOrigin(version.origin).label).lower()
