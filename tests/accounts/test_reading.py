from typing import Any

import pytest

from accounts.reading import account_documents_read
from tests.accounts.books import account_document


def _faults(*documents: object) -> dict[str, str]:
    _, faults = account_documents_read(documents, "accounts")
    return {error.path: error.message for error in faults}


def test_numbers_and_decimal_strings_read_alike() -> None:
    [texts], _ = account_documents_read([account_document(balances={"BTC": "1.5", "USDT": "2"})], "accounts")
    [numbers], _ = account_documents_read([account_document(balances={"BTC": 1.5, "USDT": 2})], "accounts")
    assert texts == numbers


@pytest.mark.parametrize("amount", ["1_000", " 1", "\uff11", "0x10", "NaN", "1e", True, [], {}])
def test_what_is_no_decimal_is_refused_where_it_stands(amount: object) -> None:
    assert _faults(account_document(balances={"BTC": amount})) == {
        "accounts[0].balances.BTC": "is not a decimal number"
    }


def test_unknown_and_missing_members_are_named() -> None:
    document = account_document(colour="red", positions=[{"instrument": "X", "quantity": "1"}])
    del document["methodology"]
    assert _faults(document) == {
        "accounts[0].colour": "is not a known field",
        "accounts[0].methodology": "is missing",
        "accounts[0].positions[0].entry_price": "is missing",
    }


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"balances": []}, "balances"), ({"positions": {}}, "positions"), ({"hedge_limits": 1}, "hedge_limits")],
)
def test_members_of_the_wrong_shape_are_named(changes: dict[str, Any], path: str) -> None:
    assert list(_faults(account_document(**changes))) == [f"accounts[0].{path}"]


@pytest.mark.parametrize("document", [None, [], "A-1", 1])
def test_a_document_that_is_no_object_is_refused(document: object) -> None:
    assert "accounts[0]" in _faults(document)
