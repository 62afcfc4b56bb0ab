"""A replay as a drawing: one SVG document of three panels above each other, without any outside part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from pmplatform.common.charts import Scale, line_path, nice_ticks
from pmplatform.demo.replay.play import Tick

_WIDTH, _LEFT, _PANEL, _GAP, _TOP = 960, 90, 190, 56, 34
_PLOT: Final = _WIDTH - _LEFT - 50
_DATES: Final = 6
_TONES: Final = ("#2563eb", "#d97706", "#dc2626", "#7c3aed", "#059669", "#64748b")
_STYLE: Final = (
    "svg{background:#fff;color:#0f172a;font:12px system-ui,sans-serif}text{fill:currentColor}"
    ".grid{stroke:#94a3b8;stroke-opacity:.35}path{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke}"
    "@media(prefers-color-scheme:dark){svg{background:#0f172a;color:#e2e8f0}}"
)

Series = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class _Panel:
    title: str
    series: Series


def drawing(title: str, ticks: Sequence[Tick]) -> str:
    """The SVG document."""
    panels = _panels(ticks)
    height = _TOP + len(panels) * (_PANEL + _GAP)
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH} {height}", role="img")
    SubElement(root, "title").text = title
    SubElement(root, "style").text = _STYLE
    _text(root, _LEFT, 18, title)
    for place, panel in enumerate(panels):
        _draw(root, panel, _TOP + place * (_PANEL + _GAP) + 20, ticks)
    return tostring(root, encoding="unicode") + "\n"


def _panels(ticks: Sequence[Tick]) -> list[_Panel]:
    tolls = [tick.toll for tick in ticks]
    accounts = {
        "warned": [float(toll.warned) for toll in tolls],
        "repaid": [float(toll.repaid) for toll in tolls],
        "liquidated": [float(toll.liquidated) for toll in tolls],
        "taken over": [float(toll.taken_over) for toll in tolls],
    }
    return [
        _Panel("price, start = 1", _prices(ticks)),
        _Panel("accounts so far", accounts),
        _Panel("insurance fund, USD", {"fund": [float(tick.fund_usd) for tick in ticks]}),
    ]


def _prices(ticks: Sequence[Tick]) -> dict[str, list[float]]:
    """Levels by currency, without the coins that only follow another."""
    shown: dict[str, list[float]] = {}
    for name in sorted(ticks[0].move.levels):
        levels = [tick.move.levels[name] for tick in ticks]
        if levels not in shown.values():
            shown[name] = levels
    return shown


def _draw(root: Element, panel: _Panel, top: int, ticks: Sequence[Tick]) -> None:
    values = [value for series in panel.series.values() for value in series]
    y_ticks = nice_ticks(min(values), max(values))
    across, up = Scale(0.0, float(max(len(ticks) - 1, 1))), Scale(y_ticks[0], y_ticks[-1])
    _legend(root, panel, top - 6)
    for value in y_ticks:
        level = top + _PANEL * (1.0 - up.at(value) / 100.0)
        SubElement(root, "path", {"class": "grid", "d": f"M{_LEFT} {level:.1f}h{_PLOT}"})
        _text(root, _LEFT - 8, level + 4, f"{value:,.10g}", anchor="end")
    _dates(root, top + _PANEL + 16, across, ticks)
    box = {"x": str(_LEFT), "y": str(top), "width": str(_PLOT), "height": str(_PANEL)}
    field = SubElement(root, "svg", {**box, "viewBox": "0 0 100 100", "preserveAspectRatio": "none"})
    places = [float(place) for place in range(len(ticks))]
    for tone, series in zip(_TONES, panel.series.values(), strict=False):
        SubElement(field, "path", stroke=tone, d=line_path(places, series, across, up))


def _legend(root: Element, panel: _Panel, at: float) -> None:
    _text(root, _LEFT, at, panel.title)
    for place, (tone, name) in enumerate(zip(_TONES, panel.series, strict=False)):
        _text(root, _LEFT + 180 + 110 * place, at, f"■ {name}", fill=tone)


def _dates(root: Element, at: float, across: Scale, ticks: Sequence[Tick]) -> None:
    for part in range(_DATES):
        place = round(part * (len(ticks) - 1) / (_DATES - 1))
        x = _LEFT + _PLOT * across.at(place) / 100.0
        _text(root, x, at, f"{ticks[place].move.recorded:%d %b %H:%M}", anchor="middle")


def _text(root: Element, x: float, y: float, words: str, *, anchor: str = "start", fill: str = "") -> None:
    style = {"style": f"fill:{fill}"} if fill else {}
    SubElement(root, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor, **style}).text = words
