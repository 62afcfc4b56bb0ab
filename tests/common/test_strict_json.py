from decimal import Decimal

import pytest

from pmplatform.common.errors import ValidationFailed
from pmplatform.common.strict_json import Numbers, NumberText, strict_json_loads


def faults(raw: bytes) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as caught:
        strict_json_loads(raw)
    return [(error.path, error.message) for error in caught.value.errors]


def test_numbers_keep_every_digit() -> None:
    read = strict_json_loads(b'{"a": 0.1234567890123456789012, "b": 9007199254740993, "c": 1.50}')
    assert read == {"a": Decimal("0.1234567890123456789012"), "b": 9007199254740993, "c": Decimal("1.50")}


def test_numbers_can_be_left_as_they_were_written() -> None:
    read = strict_json_loads(b'{"a": 1.50, "b": 7, "c": "7"}', numbers=Numbers.TEXT)
    assert isinstance(read, dict)
    assert read == {"a": "1.50", "b": "7", "c": "7"}
    assert [isinstance(value, NumberText) for value in read.values()] == [True, True, False]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"a": {"b": [1, 2, {}, {"c": 1, "c": 1}]}}', "a.b[3].c"),
        (b'{"market": {"index": {"BTC-USD": 1, "BTC-USD": 2}}}', "market.index.BTC-USD"),
        (b'{"a": 1, "\\u0061": 2}', "a"),
    ],
)
def test_a_duplicate_key_is_refused_with_its_path(raw: bytes, path: str) -> None:
    assert faults(raw) == [(path, "is given twice")]


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"9" * 400, b"9" * 5000]
)
def test_a_number_that_is_not_finite_is_refused_with_its_path(number: bytes) -> None:
    assert faults(b'{"a": [{"b": ' + number + b"}]}") == [("a[0].b", "is not a finite number")]


def test_every_fault_is_reported_at_once() -> None:
    assert [path for path, _ in faults(b'[NaN, {"a": 1e999, "b": 1, "b": 2}]')] == ["[0]", "[1].a", "[1].b"]


def test_an_exponent_too_small_for_any_decimal_is_refused() -> None:
    assert faults(b'{"a": 1e-9999999999999999999}') == [("a", "has an exponent out of range")]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"b":'])
def test_twenty_thousand_levels_are_refused_without_recursion(opening: bytes) -> None:
    assert faults(opening * 20_000)[0][1] == "is nested deeper than 32 levels"


def test_the_level_too_deep_is_named() -> None:
    raw = b'{"a": [0, ' + b"[" * 30 + b'{"b": 1}' + b"]" * 30 + b"]}"
    assert faults(raw) == [("a[1]" + "[0]" * 30, "is nested deeper than 32 levels")]


def test_thirty_two_levels_are_read() -> None:
    assert strict_json_loads(b"[" * 32 + b"]" * 32)


def test_brackets_inside_strings_are_no_depth() -> None:
    text = "[" * 100 + '\\"' + "{" * 100
    assert strict_json_loads(f'{{"a": "{text}"}}'.encode())


def test_an_unterminated_string_of_quotes_is_refused_quickly() -> None:
    assert faults(b'"' + b'\\"' * 120_000)[0][1].startswith("is not JSON")


def test_invalid_utf8_is_refused_where_it_stands() -> None:
    assert faults(b'{"a": {"name": "x\xff"}}') == [("a.name", "is not valid UTF-8")]


@pytest.mark.parametrize("escape", [rb"\u0000", rb"\ud800", rb"\uDFFF"])
def test_text_that_cannot_be_stored_is_refused(escape: bytes) -> None:
    assert faults(b'{"a": ["' + escape + b'"]}') == [("a[0]", "has characters that cannot be stored")]


def test_a_surrogate_pair_is_text() -> None:
    assert strict_json_loads(rb'["\ud83d\ude00"]') == ["\U0001f600"]


def test_a_syntax_error_names_line_and_path() -> None:
    assert faults(b'{"a": {"b":\n 1,, }}') == [
        ("a", "is not JSON: Expecting property name enclosed in double quotes (line 2, column 4)")
    ]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"]", b"{]}", b"\xef\xbb\xbf{}", b"{'a': 1}", b"01", b"[1] 2", b"\x00"]
)
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    assert faults(raw)[0][1].startswith("is not JSON")
