"""Numbers as venues write them: text, shortest, without exponent."""

from datetime import datetime
from decimal import Decimal


def number(value: float | None) -> str:
    """The shortest decimal that stands for a float64; empty for none."""
    if value is None:
        return ""
    text = format(Decimal(repr(value + 0.0)), "f")
    return text.removesuffix(".0")


def milliseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return int(moment.timestamp() * 1000)
