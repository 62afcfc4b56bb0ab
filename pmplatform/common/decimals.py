"""Decimal amounts as the database keeps them: numeric(38, 18), refused rather than rounded."""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow

MAX_DIGITS = 38
DECIMAL_PLACES = 18
# The default context would round a sum of two amounts to 28 digits; here, what cannot be exact raises.
EXACT = Context(prec=3 * MAX_DIGITS, traps=[Inexact, InvalidOperation, Overflow])
_WHOLE_DIGITS = MAX_DIGITS - DECIMAL_PLACES
_DECIMAL_STRING = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def decimal_from_text(text: str) -> Decimal | None:
    """Read a decimal string (ASCII digits, optional sign, fraction and exponent); None when it is not one."""
    if not _DECIMAL_STRING.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def amount_fault(value: Decimal) -> str | None:
    """Say why ``value`` does not fit numeric(38, 18) exactly; None when it does.

    Looks at digits and exponent only, so that 1e-999999999 costs nothing to refuse.
    """
    if not value.is_finite():
        return "is not a finite number"
    if value.is_zero():
        return None
    if value.adjusted() + 1 > _WHOLE_DIGITS:
        return f"has more than {_WHOLE_DIGITS} digits before the decimal point"
    _, digits, exponent = value.as_tuple()
    lowest = next(place for place, digit in enumerate(reversed(digits), int(exponent)) if digit)
    if lowest < -DECIMAL_PLACES:
        return f"has more than {DECIMAL_PLACES} decimal places"
    return None


def decimal_text(value: Decimal) -> str:
    """Write an amount without exponent and without trailing zeros: ``1500``, ``0.05``, ``0``.

    The value has to fit numeric(38, 18), or the text could grow without bound.
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def decimal_of(value: object) -> Decimal | None:
    """Read a JSON number or decimal string exactly; a float counts as its shortest text. None otherwise."""
    match value:
        case bool():
            return None
        case Decimal():
            return value
        case int():
            return Decimal(value)
        case float():
            return Decimal(repr(value))
        case str():
            return decimal_from_text(value)
        case _:
            return None
