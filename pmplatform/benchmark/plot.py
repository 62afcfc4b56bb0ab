"""Cost against accounts as a small SVG, drawn without a library."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_SVG: Final = "http://www.w3.org/2000/svg"
_WIDTH: Final = 560
_HEIGHT: Final = 340
_LEFT: Final = 70
_RIGHT: Final = 500
_TOP: Final = 80
_BOTTOM: Final = 280
_COLOURS: Final = ("#1f5fa8", "#a8521f")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Axes:
    """Accounts across, logarithmic; microseconds upwards, from 0."""

    first: float
    last: float
    most: float

    def place(self, count: float, cost: float) -> tuple[float, float]:
        across = math.log10(count / self.first) / math.log10(self.last / self.first)
        return _LEFT + across * (_RIGHT - _LEFT), _BOTTOM - cost / self.most * (_BOTTOM - _TOP)


def growth_plot(series: Mapping[str, Points]) -> str:
    """Microseconds for each account over accounts: a line for each of at most two series, by name."""
    counts = sorted({count for points in series.values() for count, _ in points})
    most = max(cost for points in series.values() for _, cost in points)
    axes = _Axes(counts[0], counts[-1], 1.25 * most)
    drawn = zip(series.items(), _COLOURS, strict=False)
    return "\n".join(
        [
            f'<svg xmlns="{_SVG}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            *_frame(),
            *(_text(axes.place(count, 0.0)[0], _BOTTOM + 20, f"{count:,.0f}") for count in counts),
            *(
                part
                for line, ((name, points), colour) in enumerate(drawn)
                for part in _line(axes, name, points, colour, 24 + 20 * line)
            ),
            "</svg>\n",
        ]
    )


def _line(axes: _Axes, name: str, points: Points, colour: str, legend: float) -> Iterator[str]:
    """A series with the cost at each point, and its name above the chart."""
    spots = [axes.place(count, cost) for count, cost in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for (x, y), (_, cost) in zip(spots, points, strict=True):
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        yield _text(x, y - 10, f"{cost:.1f} us", colour)
    yield _text((_LEFT + _RIGHT) / 2, legend, name, colour)


def _frame() -> Iterator[str]:
    style = 'stroke="#444444" stroke-width="1"'
    yield f'<line x1="{_LEFT}" y1="{_BOTTOM}" x2="{_RIGHT}" y2="{_BOTTOM}" {style}/>'
    yield f'<line x1="{_LEFT}" y1="{_TOP}" x2="{_LEFT}" y2="{_BOTTOM}" {style}/>'
    yield _text((_LEFT + _RIGHT) / 2, _BOTTOM + 45, "accounts")


def _text(x: float, y: float, words: str, colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" text-anchor="middle" fill="{colour}">{words}</text>'
