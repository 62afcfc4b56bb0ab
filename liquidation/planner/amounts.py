"""Exact amounts: where figures become decimals, and how decimals are rounded and written."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import Final

ZERO: Final = Decimal(0)

#: Places of an amount at rest, as in the ledger.
_UNIT: Final = Decimal("1e-18")
#: Places of an amount that somebody trades, where a figure and not a balance decides it.
_TRADED: Final = Decimal("1e-8")
#: Digits of a figure that mean something; the rest is noise of its computation.
_MEANT: Final = 12

#: The context that a plan is computed in: quantity x size x price of 38 digits each are exact.
CONTEXT: Final = Context(prec=120, traps=[InvalidOperation, DivisionByZero, Overflow])


def decimal_of(value: float) -> Decimal:
    """The shortest decimal that reads back as this float: the number that a document holds."""
    return Decimal(repr(value))


def meant(value: float) -> Decimal:
    """A computed figure without its noise, so that 4.000000000000001 contracts are 4 and not 5."""
    return Decimal(f"{value:.{_MEANT}g}")


def down(amount: Decimal) -> Decimal:
    """Rounded down to the places of the ledger."""
    return amount.quantize(_UNIT, ROUND_FLOOR, CONTEXT)


def up(amount: Decimal) -> Decimal:
    """Rounded up to the places of the ledger."""
    return amount.quantize(_UNIT, ROUND_CEILING, CONTEXT)


def traded_down(amount: Decimal) -> Decimal:
    """Rounded down to the places of a trade."""
    return amount.quantize(_TRADED, ROUND_FLOOR, CONTEXT)


def traded_up(amount: Decimal) -> Decimal:
    """Rounded up to the places of a trade."""
    return amount.quantize(_TRADED, ROUND_CEILING, CONTEXT)


def plain(amount: Decimal) -> str:
    """Digits without exponent and without trailing zeros; zero has no sign."""
    text = format(amount, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text
