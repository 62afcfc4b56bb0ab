"""Cost against accounts as a small SVG, drawn without a library."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

_SVG: Final = "http://www.w3.org/2000/svg"
_WIDTH: Final = 560
_HEIGHT: Final = 320
_LEFT: Final = 70
_RIGHT: Final = 530
_TOP: Final = 40
_BOTTOM: Final = 260


def growth_plot(points: Sequence[tuple[float, float]]) -> str:
    """Microseconds for each account, from 0, over accounts on a logarithmic axis."""
    accounts, costs = zip(*points, strict=True)
    most = 1.25 * max(costs)
    first, last = math.log10(min(accounts)), math.log10(max(accounts))

    def place(count: float, cost: float) -> tuple[float, float]:
        across = (math.log10(count) - first) / (last - first)
        return _LEFT + across * (_RIGHT - _LEFT), _BOTTOM - cost / most * (_BOTTOM - _TOP)

    spots = [place(count, cost) for count, cost in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    marks = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1f5fa8"/>'
        + _text(x, y - 10, f"{cost:.1f} us")
        + _text(x, _BOTTOM + 20, f"{count:,.0f}")
        for (x, y), (count, cost) in zip(spots, points, strict=True)
    ]
    return "\n".join(
        [
            f'<svg xmlns="{_SVG}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            *_frame(),
            f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
            *marks,
            "</svg>\n",
        ]
    )


def _frame() -> Iterator[str]:
    style = 'stroke="#444444" stroke-width="1"'
    yield f'<line x1="{_LEFT}" y1="{_BOTTOM}" x2="{_RIGHT}" y2="{_BOTTOM}" {style}/>'
    yield f'<line x1="{_LEFT}" y1="{_TOP}" x2="{_LEFT}" y2="{_BOTTOM}" {style}/>'
    yield _text((_LEFT + _RIGHT) / 2, _BOTTOM + 45, "accounts")
    yield _text((_LEFT + _RIGHT) / 2, 24, "okx-2025, processor time for each account")


def _text(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="13" text-anchor="middle" fill="#222222">{words}</text>'
