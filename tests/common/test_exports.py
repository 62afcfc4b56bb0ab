"""CSV that a spreadsheet takes for text and numbers, never for a formula."""

import csv
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pmplatform.common.exports import csv_response, neutralised


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20A"],
)
def test_text_that_looks_like_a_formula_is_quoted(text: str) -> None:
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-3, "-3"),
        (-1.5, "-1.5"),
        (Decimal("-0.00000001"), "-0.00000001"),
        (datetime(2026, 1, 5, tzinfo=UTC), "2026-01-05T00:00:00+00:00"),
        ("BTC-USDT-SWAP", "BTC-USDT-SWAP"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_numbers_times_and_plain_text_stay_as_they_are(value: Any, cell: str) -> None:
    assert neutralised(value) == cell


def test_a_file_reads_back_as_its_rows() -> None:
    response = csv_response("list", ["name", "amount"], [['a "quoted", name', Decimal("1.5")], ["=x", None]])
    text = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]
    assert list(csv.reader(text.splitlines())) == [
        ["name", "amount"],
        ['a "quoted", name', "1.5"],
        ["'=x", ""],
    ]
    assert response["Content-Disposition"] == 'attachment; filename="list.csv"'
