"""The overview: is anyone in danger, and is the machine healthy?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from liquidation import selectors as liquidations
from liquidation.console.controls import MODE_MARKS
from margin import market_states, overview, risk_states, selectors
from margin.choices import MarginStatus, RiskMode, RunState
from margin.console.charts import threshold_ratios
from margin.console.report import STATUS_MARKS, status_mark
from pmplatform.common.charts import Column, place_among, stacked_columns
from pmplatform.common.charts import Mark as Threshold
from pmplatform.common.console import (
    Mark,
    ago,
    amount,
    count,
    duration,
    marked,
    money,
    percent,
    points,
)
from pmplatform.common.pages import console_page, page_render

#: Every role has it.
VIEW_PERMISSION: Final = "margin.view_marginresult"

#: Inner bounds of the bins in which margin ratios are counted, a round scale.
EDGES: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0, 20.0)
_WORST: Final = 10
#: So many completed runs say how long one usually takes.
_RECENT: Final = 20


@dataclass(frozen=True, slots=True)
class Light:
    """One thing of the machine: how it stands in a word, and what there is to say about it."""

    name: str
    word: SafeString
    text: SafeString | str
    url: str


@dataclass(frozen=True, slots=True)
class Tile:
    word: SafeString
    accounts: SafeString
    equity: SafeString
    url: str


@dataclass(frozen=True, slots=True)
class RiskRow:
    code: str
    tenant: str
    url: str
    key: str
    status: SafeString
    ratio: SafeString
    change: SafeString
    equity: SafeString
    mmr: SafeString


@dataclass(frozen=True, slots=True)
class UnitRow:
    unit: str
    accounts: SafeString
    mmr: SafeString
    imr: SafeString
    delta: SafeString
    cash_delta: SafeString
    width: float


@dataclass(frozen=True, slots=True)
class BinRow:
    label: str
    counts: tuple[int, ...]
    total: SafeString


@dataclass(frozen=True)
class Distribution:
    columns: tuple[Column, ...]
    thresholds: tuple[Threshold, ...]
    statuses: tuple[SafeString, ...]
    rows: tuple[BinRow, ...]
    unmeasured: int


@dataclass(frozen=True)
class Overview:
    """Everything the page shows; without any completed run there are only the lights."""

    at: datetime
    lights: tuple[Light, ...]
    is_empty: bool
    equity: SafeString
    mmr: SafeString
    accounts: SafeString
    tiles: tuple[Tile, ...]
    worst: tuple[RiskRow, ...]
    distribution: Distribution
    units: tuple[UnitRow, ...]


@console_page(VIEW_PERMISSION)
def page(request: HttpRequest) -> HttpResponse:
    """The whole page; what lives in it asks for itself again."""
    return page_render(
        request, "console/overview.html", "Overview", {"overview": overview_at(timezone.now())}
    )


@console_page(VIEW_PERMISSION)
def live(request: HttpRequest) -> HttpResponse:
    """What lives in the page."""
    return render(request, "console/overview/live.html", {"overview": overview_at(timezone.now())})


def overview_at(now: datetime) -> Overview:
    """The overview as of now."""
    results = selectors.results_latest()
    newest, previous = (*overview.runs_completed(2), None, None)[:2]
    standing = overview.book_standing(results, EDGES)
    return Overview(
        at=now,
        lights=tuple(_lights(now)),
        is_empty=not standing.accounts,
        equity=money(standing.equity),
        mmr=money(standing.mmr),
        accounts=count(standing.accounts),
        tiles=tuple(map(_tile, standing.groups)),
        worst=tuple(map(_risk_row, overview.results_at_risk(results, previous, _WORST))),
        distribution=_distribution(standing, now),
        units=tuple(_unit_rows(newest)),
    )


def _lights(now: datetime) -> Iterator[Light]:
    yield _market(now)
    yield _run(now)
    yield from _modes()
    yield _cases()
    yield _kill_switch(now)


def _market(now: datetime) -> Light:
    state = market_states.market_state(now)
    url = reverse("admin:margin_marketsnapshot_changelist")
    if state is None:
        return Light("Market", marked("none yet", Mark("warning", "▲")), "No snapshot was accepted yet.", url)
    look = Mark("safe", "●") if state.standing.is_fresh else Mark("warning", "▲")
    text = SafeString("; ".join(state.reasons)) if state.reasons else ago(state.snapshot.as_of, now)
    return Light("Market", marked(state.standing.word, look), text, url)


def _run(now: datetime) -> Light:
    progress = overview.run_progress(_RECENT)
    url = reverse("admin:margin_marginrun_changelist")
    if progress is None:
        return Light("Run", marked("none yet", Mark("warning", "▲")), "No run was started yet.", url)
    run = progress.run
    url = reverse("admin:margin_marginrun_change", args=[run.pk])
    usual = f"usually {duration(progress.usual)}" if progress.usual else ""
    if progress.is_active:
        parts = f"{sum(progress.done.values())} of {sum(progress.total.values())} parts, {usual}".rstrip(", ")
        return Light("Run", marked(f"{progress.fraction:.0%}", Mark("safe", "◐")), parts, url)
    look = Mark("danger", "■") if run.state == RunState.FAILED else Mark("safe", "●")
    took = duration(run.finished_at - run.created_at if run.finished_at else None)
    return Light("Run", marked(str(run.get_state_display()), look), f"{took}, {usual}".rstrip(", "), url)


def _modes() -> Iterator[Light]:
    """The platform's mode always, an underlying's only where it is not all."""
    url = reverse("admin:liquidation_controls")
    for state in risk_states.risk_states():
        mode = RiskMode(state.mode)
        if state.underlying == risk_states.EVERYWHERE or mode is not RiskMode.ENABLED:
            name = state.underlying or "Platform"
            yield Light(
                name, marked(str(mode.label), MODE_MARKS[mode]), state.reason or "all may be done", url
            )


def _cases() -> Light:
    live = liquidations.cases_by_state()
    number = sum(live.values())
    look = Mark("danger", "■") if number else Mark("safe", "●")
    words = ", ".join(f"{n:,} {state.label}" for state, n in live.items() if n)
    return Light(
        "Liquidation",
        marked(f"{number:,} live" if number else "none", look),
        words or "no live case",
        reverse("admin:liquidation_queue"),
    )


def _kill_switch(now: datetime) -> Light:
    controls = liquidations.controls()
    word = marked("on", Mark("danger", "■")) if controls.kill_switch else marked("off", Mark("safe", "●"))
    mode = "approve mode" if controls.approve_mode else "steps need no approval"
    text = f"{mode}; {controls.reason}" if controls.kill_switch else mode
    return Light("Kill switch", word, text, reverse("admin:liquidation_controls"))


def _tile(group: overview.Group) -> Tile:
    query = urlencode({"status__exact": group.status})
    url = f"{reverse('admin:margin_marginresult_changelist')}?{query}"
    return Tile(status_mark(group.status), count(group.accounts), money(group.equity), url)


def _risk_row(row: overview.AtRisk) -> RiskRow:
    result = row.result
    return RiskRow(
        code=str(result.account.code),
        tenant=str(result.account.tenant.slug),
        url=reverse("admin:account", args=[result.account_id]),
        key=f"worst-{result.account_id}",
        status=status_mark(result.status),
        ratio=percent(result.margin_ratio),
        change=points(row.change),
        equity=money(result.adjusted_equity),
        mmr=money(result.mmr),
    )


def _distribution(standing: overview.BookStanding, now: datetime) -> Distribution:
    statuses = tuple(reversed(MarginStatus))
    rows = {
        _bin_label(bin_).replace(",", ""): {STATUS_MARKS[status].tone: 0.0 for status in statuses}
        | _tones(bin_.counts)
        for bin_ in standing.bins
    }
    return Distribution(
        columns=stacked_columns(rows),
        thresholds=tuple(
            Threshold(place_among(ratio, EDGES), f"{name} {ratio * 100:,.0f} %")
            for name, ratio in _thresholds(now).items()
        ),
        statuses=tuple(map(status_mark, statuses)),
        rows=tuple(
            BinRow(_bin_label(bin_), tuple(bin_.counts.get(s, 0) for s in statuses), count(bin_.accounts))
            for bin_ in standing.bins
        ),
        unmeasured=standing.unmeasured,
    )


def _tones(counts: Mapping[MarginStatus, int]) -> dict[str, float]:
    """Counts by tone: two statuses share one."""
    tones: dict[str, float] = {}
    for status, number in counts.items():
        tone = STATUS_MARKS[status].tone
        tones[tone] = tones.get(tone, 0.0) + number
    return tones


def _bin_label(bin_: overview.Bin) -> str:
    if bin_.low == 0.0:
        return f"<{bin_.high * 100:,.0f}"
    return f"{'' if bin_.high < float('inf') else '≥'}{bin_.low * 100:,.0f}"


def _thresholds(now: datetime) -> dict[str, float]:
    """Every threshold by name, at the ratio of the methodology that comes to it first."""
    found: dict[str, float] = {}
    for thresholds in overview.thresholds_in_force(now):
        for name, ratio in threshold_ratios(thresholds).items():
            found[name] = max(ratio, found.get(name, 0.0))
    return found


def _unit_rows(run: int | None) -> Iterator[UnitRow]:
    rows: list[dict[str, Any]] = overview.unit_exposures(run)
    largest = max((row["mmr_sum"] for row in rows), default=1) or 1
    for row in rows:
        yield UnitRow(
            unit=row["unit"],
            accounts=count(row["accounts"]),
            mmr=money(row["mmr_sum"]),
            imr=money(row["imr_sum"]),
            delta=amount(row["net_delta"]),
            cash_delta=money(row["net_cash_delta"], signed=True),
            width=round(float(row["mmr_sum"] / largest) * 100, 2),
        )
