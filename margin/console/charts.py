"""What the charts of an account's page are drawn from: ratio, components and curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString

from margin.console.words import component_label
from margin.engine.curve import Axis, Curve, CurvePoint
from pmplatform.common.charts import (
    Bar,
    Gauge,
    Line,
    LineChart,
    Mark,
    Scale,
    Tick,
    gauge,
    line_path,
    nice_ticks,
    stacked_bars,
)
from pmplatform.common.console import money, percent, percent_move

_RATIO: Final = "_ratio"
_RATE: Final = "_rate"
_STOP: Final = "stop"
_LIQUIDATION: Final = "liquidation"
#: From here on, a price along an axis is read without its cents.
_WHOLE_FROM: Final = 1_000.0
#: A label is drawn at every so many places along the axis.
_TICK_EVERY: Final = 5


@dataclass(frozen=True, slots=True)
class RatioView:
    gauge: Gauge
    text: SafeString
    words: str


@dataclass(frozen=True, slots=True)
class PieceView:
    """A component in a bar: where it is drawn, and its value and part of the unit for reading."""

    name: str
    width: float
    shade: int
    text: SafeString
    part: SafeString


@dataclass(frozen=True, slots=True)
class BarView:
    name: str
    text: SafeString
    segments: tuple[PieceView, ...]


@dataclass(frozen=True, slots=True)
class CurveRow:
    move: str
    price: SafeString
    equity: SafeString
    mmr: SafeString
    ratio: SafeString


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where liquidation begins or ends: the name of its mark, and the place in words."""

    name: str
    move: str
    price: SafeString


@dataclass(frozen=True, slots=True)
class CurveView:
    coin: str
    axis: Axis
    chart: LineChart
    crossings: tuple[Crossing, ...]
    span: str
    rows: tuple[CurveRow, ...]


def threshold_ratios(thresholds: Mapping[str, float]) -> dict[str, float]:
    """Margin ratios of the thresholds by name, ascending: a rate of requirement to equity is turned over.

    Where liquidation stops is no threshold of an account that is not being liquidated.
    """
    ratios = {
        name.removesuffix(_RATIO).removesuffix(_RATE): 1.0 / value if name.endswith(_RATE) else value
        for name, value in thresholds.items()
        if not name.startswith(_STOP)
    }
    return dict(sorted(ratios.items(), key=lambda item: item[1]))


def ratio_view(account: Mapping[str, Any], thresholds: Mapping[str, float]) -> RatioView:
    """The gauge of an account's margin ratio; only its lowest and highest threshold are labelled."""
    ratios = threshold_ratios(thresholds)
    ends = (min(ratios, key=ratios.__getitem__), max(ratios, key=ratios.__getitem__))
    bounds = [
        (value, _tone(name), f"{value * 100:,.0f} %" if name in ends else "")
        for name, value in ratios.items()
    ]
    words = ", ".join(f"{name} at {value * 100:,.1f} %" for name, value in ratios.items())
    value = account["margin_ratio"]
    return RatioView(gauge(value, bounds, "safe"), percent(value), words)


def _tone(threshold: str) -> str:
    return "danger" if threshold == _LIQUIDATION else "warning"


def component_bars(explanation: Mapping[str, Any]) -> tuple[BarView, ...]:
    """The counted components of each unit stacked to its MMR, the largest unit first."""
    rows = {
        unit: {
            component_label(name): item["value"]
            for name, item in explained["components"].items()
            if item["counted"]
        }
        for unit, explained in explanation.items()
    }
    ordered = dict(sorted(rows.items(), key=lambda row: (-sum(row[1].values()), row[0])))
    return tuple(_bar(bar) for bar in stacked_bars(ordered))


def _bar(bar: Bar) -> BarView:
    pieces = (
        PieceView(piece.name, piece.width, piece.shade, money(piece.value), percent(piece.share))
        for piece in bar.segments
    )
    return BarView(bar.name, money(bar.value), tuple(pieces))


def curve_view(curve: Curve, thresholds: Mapping[str, float]) -> CurveView:
    """The chart of a curve with its thresholds and liquidation moves, and the table of its points."""
    moves = [point.move for point in curve.points]
    return CurveView(
        coin=curve.coin,
        axis=curve.axis,
        chart=_line_chart(curve, threshold_ratios(thresholds)),
        crossings=tuple(
            Crossing(f"L{number}", _move(curve.axis, move), money(curve.price * (1.0 + move)))
            for number, move in enumerate(curve.liquidation_moves, 1)
        ),
        span=f"{_move(curve.axis, moves[0])} to {_move(curve.axis, moves[-1])}",
        rows=tuple(_row(curve, point) for point in curve.points),
    )


def _line_chart(curve: Curve, ratios: Mapping[str, float]) -> LineChart:
    moves = [point.move for point in curve.points]
    named = _lines(curve.points, ratios)
    levels = nice_ticks(
        min(0.0, *(min(ys) for _, _, ys in named)), max(0.0, *(max(ys) for _, _, ys in named))
    )
    x, y = Scale(moves[0], moves[-1]), Scale(levels[0], levels[-1])
    named_moves = [(0.0, ""), *((move, f"L{i}") for i, move in enumerate(curve.liquidation_moves, 1))]
    return LineChart(
        lines=tuple(Line(name, tone, line_path(moves, ys, x, y)) for name, tone, ys in named),
        x_ticks=tuple(_x_tick(curve, move, x) for move in moves[::_TICK_EVERY]),
        y_ticks=tuple(Tick(y.at(value), _plain(value)) for value in levels),
        marks=tuple(Mark(x.at(move), name) for move, name in named_moves),
    )


def _lines(points: Sequence[CurvePoint], ratios: Mapping[str, float]) -> list[tuple[str, str, list[float]]]:
    """Name, tone and values of each line: thresholds are drawn as the equity that just meets them."""
    thresholds = [
        (
            f"{name.capitalize()}: {ratio * 100:,.0f} %",
            _tone(name),
            [point.equity_at(ratio) for point in points],
        )
        for name, ratio in ratios.items()
    ]
    return [
        ("MMR", "mmr", [point.mmr for point in points]),
        *thresholds,
        ("Equity", "equity", [point.equity for point in points]),
    ]


def _x_tick(curve: Curve, move: float, x: Scale) -> Tick:
    price = curve.price * (1.0 + move)
    below = f"{price:,.{2 if price < _WHOLE_FROM else 0}f}" if curve.axis is Axis.PRICE else ""
    return Tick(x.at(move), _move(curve.axis, move) if move else "now", below)


def _row(curve: Curve, point: CurvePoint) -> CurveRow:
    return CurveRow(
        move=_move(curve.axis, point.move),
        price=money(curve.price * (1.0 + point.move)),
        equity=money(point.equity),
        mmr=money(point.mmr),
        ratio=percent(point.margin_ratio),
    )


def _move(axis: Axis, move: float) -> str:
    return percent_move(move) if axis is Axis.PRICE else f"{move:+,.3g} pts".replace("-", "\N{MINUS SIGN}")


def _plain(value: float) -> str:
    """A number along an axis."""
    return f"{value:,.6g}".replace("-", "\N{MINUS SIGN}") if abs(value) < 1e6 else f"{value / 1e6:,.4g} M"
