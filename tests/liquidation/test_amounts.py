"""Amounts as the ledger keeps them: 18 places (a trade's 8), rounded to the side that is meant."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from liquidation.planner.amounts import down, meant, plain, traded_down, traded_up, up

#: More digits than Python's own decimal context keeps.
LONG = "12345678901234567890"


@pytest.mark.parametrize(
    ("rounded", "amount", "expected"),
    [
        (down, "0.0000000000000000019", "0.000000000000000001"),
        (down, "-0.0000000000000000011", "-0.000000000000000002"),
        (up, "0.0000000000000000011", "0.000000000000000002"),
        (up, "-0.0000000000000000019", "-0.000000000000000001"),
        (traded_down, "0.000000019", "0.00000001"),
        (traded_down, "-0.000000011", "-0.00000002"),
        (traded_up, "0.000000011", "0.00000002"),
        (traded_up, "-0.000000019", "-0.00000001"),
        (down, f"{LONG}.0000000000000000019", f"{LONG}.000000000000000001"),
        (up, f"{LONG}.0000000000000000011", f"{LONG}.000000000000000002"),
        (traded_down, f"{LONG}.000000019", f"{LONG}.00000001"),
        (traded_up, f"{LONG}.000000011", f"{LONG}.00000002"),
    ],
)
def test_amounts_are_rounded_to_their_side(
    rounded: Callable[[Decimal], Decimal], amount: str, expected: str
) -> None:
    assert rounded(Decimal(amount)) == Decimal(expected)


@pytest.mark.parametrize(
    ("amount", "written"),
    [("12.500", "12.5"), ("100", "100"), ("1E+3", "1000"), ("-0.00", "0"), ("1E-18", "0.000000000000000001")],
)
def test_amounts_are_written_without_exponent_and_idle_zeros(amount: str, written: str) -> None:
    assert plain(Decimal(amount)) == written


def test_the_noise_of_a_computation_is_no_part_of_an_amount() -> None:
    assert meant(4.000000000000001) == 4
    assert meant(1 / 3) == Decimal("0.333333333333")
