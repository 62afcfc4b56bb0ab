"""Equity against requirements over an account's kept results."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils.safestring import SafeString

from margin.console.report import status_mark
from pmplatform.common.charts import Line, LineChart, Scale, Tick, line_path, nice_ticks
from pmplatform.common.console import money, percent

_LINES: Final = (
    ("MMR", "mmr", "mmr"),
    ("IMR", "imr", "imr"),
    ("Adjusted equity", "equity", "adjusted_equity"),
)
_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class HistoryRow:
    at: str
    status: SafeString
    equity: SafeString
    mmr: SafeString
    imr: SafeString
    ratio: SafeString


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The chart, oldest on the left, and its table, newest first."""

    chart: LineChart
    rows: tuple[HistoryRow, ...]


def history_view(results: Sequence[Mapping[str, Any]]) -> HistoryView | None:
    """The chart of results in the order of their times; None where fewer than two make no line."""
    times = [row["at"].timestamp() for row in results]
    if len(set(times)) < 2:
        return None
    named = [(name, tone, [float(row[field]) for row in results]) for name, tone, field in _LINES]
    lowest = min(0.0, *(min(values) for *_, values in named))
    levels = nice_ticks(lowest, max(max(values) for *_, values in named))
    x, y = Scale(times[0], times[-1]), Scale(levels[0], levels[-1])
    return HistoryView(
        chart=LineChart(
            lines=tuple(Line(name, tone, line_path(times, values, x, y)) for name, tone, values in named),
            x_ticks=tuple(_ticks(times[0], times[-1])),
            y_ticks=tuple(Tick(y.at(level), f"{level:,.6g}") for level in levels),
            marks=(),
        ),
        rows=tuple(map(_row, reversed(results))),
    )


def _ticks(first: float, last: float) -> Iterator[Tick]:
    """At even distances, whatever the times of the results, which may leave a gap."""
    for place in range(_TICKS):
        part = place / (_TICKS - 1)
        at = datetime.fromtimestamp(first + part * (last - first), UTC)
        yield Tick(100.0 * part, f"{at:%H:%M:%S}", f"{at:%d %b}")


def _row(row: Mapping[str, Any]) -> HistoryRow:
    return HistoryRow(
        at=f"{row['at']:%Y-%m-%d %H:%M:%S}",
        status=status_mark(row["status"]),
        equity=money(row["adjusted_equity"]),
        mmr=money(row["mmr"]),
        imr=money(row["imr"]),
        ratio=percent(row["margin_ratio"]),
    )
