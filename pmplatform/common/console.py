"""What the console's pages are made of: numbers for reading, marks for states, heatmaps as tables.

Every number is shown short and carries its full precision as a title, for hovering.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

Number = Decimal | float

#: From here on, money is read without its cents.
_WHOLE_FROM: Final = 1_000
_SPANS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))
NOTHING: Final = "\N{EN DASH}"
_MINUS: Final = "\N{MINUS SIGN}"
_DIGITS: Final = frozenset("123456789")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state looks: a class for its colour and a shape, so that it also reads without colour."""

    tone: str
    shape: str


@dataclass(frozen=True, slots=True)
class HeatCell:
    """``heat`` is -1 for the largest loss to 1 for the largest gain of the table, 0 for neither."""

    text: SafeString
    heat: float
    is_worst: bool


@dataclass(frozen=True, slots=True)
class HeatRow:
    label: str
    cells: tuple[HeatCell, ...]


def money(value: Number | None, *, signed: bool = False) -> SafeString:
    """USD with thousands separators, without cents from 1,000 on."""
    if value is None:
        return _empty()
    digits = 0 if abs(float(value)) >= _WHOLE_FROM else 2
    return _number(value, f"{value:{'+' if signed else ''},.{digits}f}")


def amount(value: Number | None) -> SafeString:
    """A quantity of a currency or coin: six significant digits, from 1,000 on two decimals or none."""
    if value is None:
        return _empty()
    if abs(float(value)) < _WHOLE_FROM:
        return _number(value, f"{value:,.6g}")
    return _number(value, f"{value:,.2f}".removesuffix(".00"))


def exact(value: Decimal | None) -> SafeString:
    """Every digit that a number has, without the zeros that its column in the database adds."""
    if value is None:
        return _empty()
    text = f"{value:,f}"
    return _number(value, text.rstrip("0").rstrip(".") if "." in text else text)


def percent(value: Number | None) -> SafeString:
    """A ratio in per cent with one decimal."""
    return _empty() if value is None else _number(value, f"{value * 100:,.1f} %")


def percent_move(value: Number) -> str:
    """A relative price move, with its sign."""
    return f"{value * 100:+.3g} %".replace("-", _MINUS) if value else "0 %"


def points(value: Number | None) -> SafeString:
    """A change of a ratio in percentage points, with its sign."""
    return _empty() if value is None else _number(value, f"{value * 100:+,.1f} pp")


def count(value: int) -> SafeString:
    return _number(value, f"{value:,}")


def multiple(value: Number | None) -> SafeString:
    """So many times something, with two decimals."""
    return _empty() if value is None else _number(value, f"{value:,.2f} \N{MULTIPLICATION SIGN}")


def duration(span: timedelta | None) -> str:
    """Seconds with one decimal; whole milliseconds below one second."""
    if span is None:
        return NOTHING
    seconds = span.total_seconds()
    return f"{seconds:,.1f} s" if seconds >= 1.0 else f"{seconds * 1_000:.0f} ms"


def ago(moment: datetime | None, now: datetime) -> SafeString:
    """How long ago something was, in its largest unit; the absolute time for hovering."""
    if moment is None:
        return _empty()
    seconds = max((now - moment).total_seconds(), 0.0)
    unit, length = next(((unit, length) for unit, length in _SPANS if seconds >= length), ("s", 1))
    return format_html(
        '<time datetime="{}" title="{} UTC">{} {} ago</time>',
        moment.isoformat(),
        f"{moment:%Y-%m-%d %H:%M:%S}",
        int(seconds // length),
        unit,
    )


def marked(word: str, mark: Mark) -> SafeString:
    """A state as word, shape and colour."""
    return format_html(
        '<span class="pm-state pm-{}"><span aria-hidden="true">{}</span> {}</span>',
        mark.tone,
        mark.shape,
        word,
    )


def heatmap(labels: Sequence[str], matrix: Sequence[Sequence[float]]) -> tuple[HeatRow, ...]:
    """Rows of signed P&L; the worst cell is the first lowest in reading order, if it is a loss."""
    values = [value for row in matrix for value in row]
    scale = max(map(abs, values), default=0.0) or 1.0
    worst = min(range(len(values)), key=values.__getitem__, default=-1)
    cells = [
        HeatCell(money(value, signed=True), round(value / scale, 3), place == worst and value < 0)
        for place, value in enumerate(values)
    ]
    width = len(values) // max(len(labels), 1)
    return tuple(
        HeatRow(label, tuple(cells[row * width : (row + 1) * width])) for row, label in enumerate(labels)
    )


def _number(value: Number, text: str) -> SafeString:
    # What is shown as nought has no sign: neither a gain nor a loss can be read off it.
    shown = text if set(text) & _DIGITS else text.lstrip("+-")
    return format_html(
        '<span class="pm-number" title="{}">{}</span>', _full(value), shown.replace("-", _MINUS)
    )


def _full(value: Number) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def _empty() -> SafeString:
    return format_html('<span class="pm-number">{}</span>', NOTHING)
