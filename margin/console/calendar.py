"""What is in force of each methodology, what comes next, and what somebody is still working on."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.safestring import SafeString

from margin import versions
from margin.choices import VersionState
from margin.console.versions import version_mark
from margin.lifecycle import PUBLISHED
from margin.models import ParameterVersion


@dataclass(frozen=True, slots=True)
class Entry:
    """A version on the calendar."""

    name: str
    url: str
    mark: SafeString
    begins: datetime


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """``draft_url`` begins a draft with the values in force; empty where nothing is."""

    methodology: str
    in_force: Entry | None
    following: tuple[Entry, ...]
    open: tuple[Entry, ...]
    draft_url: str


def calendar(now: datetime) -> tuple[CalendarRow, ...]:
    """Every methodology that has a version, by name."""
    by_methodology: dict[str, list[ParameterVersion]] = {}
    for version in versions.versions():
        by_methodology.setdefault(version.methodology, []).append(version)
    return tuple(_row(name, rows, now) for name, rows in by_methodology.items())


def _row(methodology: str, rows: list[ParameterVersion], now: datetime) -> CalendarRow:
    """One methodology's versions, given the latest first."""
    published = [row for row in rows if row.state in PUBLISHED]
    current = next((row for row in published if row.effective_from <= now), None)
    ahead = [row for row in reversed(published) if row.effective_from > now]
    begun = [row for row in rows if row.state in (VersionState.DRAFT, VersionState.PROPOSED)]
    return CalendarRow(
        methodology=methodology,
        in_force=_entry(current) if current else None,
        following=tuple(map(_entry, ahead)),
        open=tuple(map(_entry, begun)),
        draft_url=reverse("admin:margin_parameterversion_draft", args=[current.pk]) if current else "",
    )


def _entry(version: ParameterVersion) -> Entry:
    url = reverse("admin:margin_parameterversion_change", args=[version.pk])
    return Entry(version.version, url, version_mark(version.state), version.effective_from)
