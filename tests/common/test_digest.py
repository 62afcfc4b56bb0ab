from decimal import Decimal

import pytest

from pmplatform.common.digest import canonical_json, canonical_sha256


def test_canonical_json_sorts_keys_and_has_no_spaces() -> None:
    assert canonical_json({"b": [1, 2.5], "a": "é", "c": None}) == '{"a":"é","b":[1,2.5],"c":null}'.encode()


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    assert canonical_sha256({"a": 1, "b": 2}) == canonical_sha256({"b": 2, "a": 1})


def test_decimals_are_hashed_as_they_are_written() -> None:
    assert canonical_json({"a": Decimal("1.50")}) == b'{"a":"1.50"}'


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        canonical_json(value)
