"""Money that leaves float64 is rounded as Decimal would, and columns arrive as rows would."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

import numpy as np
import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from pmplatform.common.columns import Rounding, bigints, columns_copy, floats, money, scaled, texts

_AMOUNTS = st.floats(min_value=-9e15, max_value=9e15, allow_nan=False)
_EXACT = {Rounding.UP: ROUND_CEILING, Rounding.DOWN: ROUND_FLOOR}
_PLACES = Decimal("0.00000001")


@given(_AMOUNTS, st.sampled_from(Rounding))
@example(-1e-300, Rounding.DOWN)
@example(-0.5e-8, Rounding.UP)
@example(0.99999999999, Rounding.UP)
def test_money_is_rounded_as_its_decimal_would_be(value: float, rounding: Rounding) -> None:
    whole, parts = scaled(np.array([value]), rounding)
    found = Decimal(int(whole[0])) + Decimal(int(parts[0])).scaleb(-8)
    assert found == Decimal(value).quantize(_PLACES, _EXACT[rounding])


@pytest.mark.django_db
def test_columns_are_copied_with_null_negative_tiny_and_vast_values() -> None:
    values = [0.0, -1e-12, 123.456, -98_765_432.1, 1e15 + 0.5, 3.5e20, -1.25e24]
    rates = [np.nan, 1.5, np.nan, -2.0, np.inf, 0.0, 1e-300]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE copied (n bigint, m numeric(38, 8), r float8, t varchar(8))")
        columns_copy(
            table="copied",
            columns={
                "n": bigints(np.arange(len(values))),
                "m": money(np.array(values), Rounding.UP),
                "r": floats(np.array(rates)),
                "t": texts(np.array(["", "a", "bb", "ccc", "dddddddd", "e", "f"], dtype="S8")),
            },
        )
        cursor.execute("SELECT m, r, t FROM copied ORDER BY n")
        rows = cursor.fetchall()
        cursor.execute("DROP TABLE copied")
    with localcontext(prec=60):
        expected = [Decimal(value).quantize(_PLACES, ROUND_CEILING) for value in values]
    assert [row[0] for row in rows] == expected
    assert [row[1] for row in rows] == [None if np.isnan(rate) else rate for rate in rates]
    assert [row[2] for row in rows] == ["", "a", "bb", "ccc", "dddddddd", "e", "f"]


def test_money_beyond_any_column_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        money(np.array([1e32]), Rounding.UP)
    with pytest.raises(ValueError, match="finite"):
        money(np.array([np.nan]), Rounding.UP)
