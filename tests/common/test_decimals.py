from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmplatform.common.decimals import EXACT, amount_fault, decimal_from_text, decimal_text


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "0e-999999999",
        "1e-18",
        "99999999999999999999.999999999999999999",
        "1.500000000000000000000",
        "1e19",
    ],
)
def test_what_the_column_holds_exactly_is_accepted(text: str) -> None:
    assert amount_fault(Decimal(text)) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("1e-19", "has more than 18 decimal places"),
        ("1e-999999999", "has more than 18 decimal places"),
        ("100000000000000000000", "has more than 20 digits before the decimal point"),
        ("1e999999999", "has more than 20 digits before the decimal point"),
        ("NaN", "is not a finite number"),
        ("-Infinity", "is not a finite number"),
    ],
)
def test_what_the_column_would_round_is_refused(text: str, fault: str) -> None:
    assert amount_fault(Decimal(text)) == fault


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1500.00", "1500"),
        ("1E+3", "1000"),
        ("-0.0", "0"),
        ("0.050", "0.05"),
        ("1e-18", "0.000000000000000001"),
    ],
)
def test_amounts_are_written_without_exponent_or_trailing_zeros(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_every_amount_survives_its_text(scaled: int) -> None:
    value = EXACT.scaleb(Decimal(scaled), -18)
    assert amount_fault(value) is None
    assert decimal_from_text(decimal_text(value)) == value


@pytest.mark.parametrize(
    "text", [" 1", "1_000", "\u0661", "1.", ".5", "0x10", "NaN", "inf", "1e", "", "+", "1\n"]
)
def test_other_spellings_are_no_decimal_strings(text: str) -> None:
    assert decimal_from_text(text) is None


@pytest.mark.parametrize("text", ["1", "+1.5", "-0", "1e5", "1.25E-3"])
def test_decimal_strings_are_read_exactly(text: str) -> None:
    assert decimal_from_text(text) == Decimal(text)
