"""Geometry of the console's charts, drawn by the server: gauge, stacked bars, lines.

Plots have no units of their own: places run from 0 to 100 on both axes, so that templates can stretch them
to any width and keep the text beside them unscaled. Nothing here knows what is drawn.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Shades of the stacked bars that the style sheet knows.
SHADES: Final = 8
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
#: Centre and radius of the gauge in its own 200 by 116 box.
_CENTRE: Final = 100.0
_RADIUS: Final = 78.0
_LABEL_RADIUS: Final = 92.0
_NEEDLE_RADIUS: Final = 66.0
_WHOLE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at a place; its short name, if any, is that by which the words below refer to it."""

    at: float
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """A named line; `tone` is its class, `path` the SVG path, broken where a value is missing."""

    name: str
    tone: str
    path: str


@dataclass(frozen=True, slots=True)
class LineChart:
    lines: tuple[Line, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """From values of an axis to places of 0 to 100."""

    low: float
    high: float

    def at(self, value: float) -> float:
        return round((value - self.low) / (self.high - self.low) * _WHOLE, 3)


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar: its width of the whole plot, and its share of the bar, both in per cent."""

    name: str
    value: float
    width: float
    share: float
    shade: int


@dataclass(frozen=True, slots=True)
class Bar:
    name: str
    value: float
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A stacked column: its pieces from the bottom up, each with its height of the whole plot in per cent."""

    label: str
    value: float
    height: float
    pieces: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Zone:
    tone: str
    path: str


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """A half circle of zones; `needle` is the path of its hand, empty where there is no value."""

    zones: tuple[Zone, ...]
    labels: tuple[Label, ...]
    needle: str


def nice_ticks(low: float, high: float, most: int = 6) -> tuple[float, ...]:
    """At most `most` round values from at or below `low` to at or above `high`."""
    span = (high - low) or abs(high) or 1.0
    magnitude = 10.0 ** math.floor(math.log10(span / most))
    for step in (magnitude * factor for factor in (*_STEPS, 20.0, 50.0)):
        first, last = math.floor(low / step), math.ceil(high / step)
        if last - first < most:
            return tuple(step * place for place in range(first, max(last, first + 1) + 1))
    raise AssertionError("fifty times the magnitude spans everything")


def line_path(xs: Sequence[float], ys: Sequence[float | None], x: Scale, y: Scale) -> str:
    """The SVG path through the points; y runs upwards. It is broken where a value is missing."""
    words, pen = [], "M"
    for at, value in zip(xs, ys, strict=True):
        if value is None:
            pen = "M"
            continue
        words.append(f"{pen}{x.at(at):g} {_WHOLE - y.at(value):g}")
        pen = "L"
    return " ".join(words)


def stacked_bars(rows: Mapping[str, Mapping[str, float]]) -> tuple[Bar, ...]:
    """One bar for each row, in the order given; the longest spans the plot. Empty pieces are left out.

    A name has the same shade in every bar. Values are at least 0.
    """
    names = list(dict.fromkeys(name for row in rows.values() for name, value in row.items() if value > 0.0))
    longest = max((sum(row.values()) for row in rows.values()), default=0.0) or 1.0
    bars = []
    for name, row in rows.items():
        total = sum(row.values())
        segments = tuple(
            Segment(
                name=piece,
                value=value,
                width=round(value / longest * _WHOLE, 3),
                share=value / total,
                shade=names.index(piece) % SHADES,
            )
            for piece, value in row.items()
            if value > 0.0
        )
        bars.append(Bar(name, total, segments))
    return tuple(bars)


def stacked_columns(rows: Mapping[str, Mapping[str, float]]) -> tuple[Column, ...]:
    """One column for each row, in the order given, of pieces by tone; the highest fills the plot."""
    highest = max((sum(row.values()) for row in rows.values()), default=0.0) or 1.0
    return tuple(
        Column(
            label=label,
            value=sum(row.values()),
            height=round(sum(row.values()) / highest * _WHOLE, 3),
            pieces=tuple((tone, round(part / highest * _WHOLE, 3)) for tone, part in row.items() if part),
        )
        for label, row in rows.items()
    )


def place_among(value: float, edges: Sequence[float]) -> float:
    """Where a value stands on an axis whose equally wide bins these ascending edges divide, 0 to 100.

    The first bin begins at 0; beyond the last edge everything is at its edge.
    """
    bounds = [0.0, *edges]
    bins = len(bounds)
    for place, (low, high) in enumerate(pairwise(bounds)):
        if value < high:
            return round((place + (value - low) / (high - low)) / bins * _WHOLE, 3)
    return round((bins - 1) / bins * _WHOLE, 3)


def gauge(value: float | None, bounds: Sequence[tuple[float, str, str]], top: str) -> Gauge:
    """A gauge from 0 to infinity with the highest bound in its middle.

    Parameters
    ----------
    bounds : ascending (value, tone of the zone below it, label or nothing), each above 0.
    top : tone of the zone beyond the last bound.
    """
    pivot = bounds[-1][0]
    edges = [0.0, *(_turn(bound, pivot) for bound, _, _ in bounds), 1.0]
    tones = [*(tone for _, tone, _ in bounds), top]
    zones = (Zone(tone, _arc(low, high)) for (low, high), tone in zip(pairwise(edges), tones, strict=True))
    labels = (_label(_turn(bound, pivot), text) for bound, _, text in bounds if text)
    return Gauge(tuple(zones), tuple(labels), "" if value is None else _needle(_turn(value, pivot)))


def _turn(value: float, pivot: float) -> float:
    """Where a value stands from 0 (left) to 1 (right): `pivot` in the middle, infinity at the end."""
    return max(value, 0.0) / (max(value, 0.0) + pivot)


def _point(turn: float, radius: float) -> tuple[float, float]:
    angle = math.pi * (1.0 - turn)
    return round(_CENTRE + radius * math.cos(angle), 2), round(_CENTRE - radius * math.sin(angle), 2)


def _arc(start: float, end: float) -> str:
    (x0, y0), (x1, y1) = _point(start, _RADIUS), _point(end, _RADIUS)
    return f"M{x0} {y0} A{_RADIUS} {_RADIUS} 0 0 1 {x1} {y1}"


def _label(turn: float, text: str) -> Label:
    x, y = _point(turn, _LABEL_RADIUS)
    anchor = "end" if turn < 0.45 else "start" if turn > 0.55 else "middle"
    return Label(x, y, anchor, text)


def _needle(turn: float) -> str:
    x, y = _point(turn, _NEEDLE_RADIUS)
    return f"M{_CENTRE} {_CENTRE} L{x} {y}"
