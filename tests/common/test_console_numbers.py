"""How the console writes numbers: short, signed only where there is something to sign, exact on hover."""

from datetime import timedelta
from decimal import Decimal

import pytest

from pmplatform.common.console import amount, duration, exact, money, multiple, percent_move, points

MINUS = "\N{MINUS SIGN}"


def test_nought_has_no_sign_however_it_came_about() -> None:
    assert money(0.0, signed=True) == '<span class="pm-number" title="0.0">0.00</span>'
    assert ">0.00<" in money(-0.004, signed=True)
    assert ">0.0 pp<" in points(-0.0004)
    assert f">{MINUS}0.1 pp<" in points(-0.0006)
    assert ">+0.01<" in money(0.01, signed=True)


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("-697.000000000000000000", f"{MINUS}697"),
        ("3389.901100000000000000", "3,389.9011"),
        ("100", "100"),
        ("0.000000000000000001", "0.000000000000000001"),
        ("0E-18", "0"),
    ],
)
def test_exact_numbers_keep_every_digit_and_no_idle_zero(stored: str, shown: str) -> None:
    assert f">{shown}<" in exact(Decimal(stored))


def test_amounts_have_decimals_only_where_there_are_some() -> None:
    assert f">{MINUS}2,327<" in amount(-2_327.0)
    assert ">107,056.77<" in amount(107_056.77)
    assert ">251.021<" in amount(251.0213)


def test_the_price_that_stays_has_no_sign() -> None:
    assert [percent_move(move) for move in (-0.06, 0.0, 0.06)] == [f"{MINUS}6 %", "0 %", "+6 %"]


def test_short_times_are_told_in_milliseconds() -> None:
    assert duration(timedelta(milliseconds=41)) == "41 ms"
    assert duration(timedelta(seconds=1.25)) == "1.2 s"
    assert duration(None) == "\N{EN DASH}"


def test_multiples_have_two_decimals() -> None:
    assert ">4.80 \N{MULTIPLICATION SIGN}<" in multiple(4.80132)
