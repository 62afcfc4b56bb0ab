import time
from typing import Any

import pytest

from accounts import states
from accounts.models import Account, Balance, HedgeLimit, LedgerEntry, Order, Position
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.models import OutboxRow
from tests.accounts.books import CALL, SPOT, SWAP, account_document, list_instruments, load, make_tenant

pytestmark = pytest.mark.django_db


def _fold(account_id: int) -> dict[str, Any]:
    """The state of an account as its ledger tells it."""
    entries = LedgerEntry.objects.filter(account_id=account_id).order_by("id")
    return {entry.subject: entry.after for entry in entries if entry.after is not None}


def _stored(account: Account) -> dict[str, Any]:
    """The state of an account as its rows tell it."""
    stored: dict[str, Any] = {states.ACCOUNT_SUBJECT: states.AccountSettings.of(account).state}
    for balance in Balance.objects.filter(account=account):
        stored[states.balance_subject(balance.currency)] = states.balance_state(balance.amount)
    for position in Position.objects.filter(account=account).select_related("instrument"):
        state = states.position_state(position.quantity, position.entry_price)
        stored[states.position_subject(position.instrument.code)] = state
    for order in Order.objects.filter(account=account).select_related("instrument"):
        stored[states.order_subject(order.pk)] = states.order_state(order, order.instrument.code)
    return stored


def _refused(*documents: Any) -> dict[str, str]:
    with pytest.raises(ValidationFailed) as refusal:
        load(make_tenant("acme"), *documents)
    return {error.path: error.message for error in refusal.value.errors}


def test_the_ledger_of_a_loaded_account_folds_to_its_rows() -> None:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document(hedge_limits={}))
    assert _fold(account_id) == _stored(Account.objects.get(pk=account_id))


def test_a_loaded_account_shows_the_position_of_its_newest_ledger_row() -> None:
    list_instruments()
    for account_id in load(make_tenant("acme"), account_document("A-1"), account_document("A-2")):
        newest = LedgerEntry.objects.filter(account_id=account_id).latest("id")
        assert Account.objects.get(pk=account_id).ledger_position == newest.pk


def test_hedge_limits_are_one_ledger_row_and_one_row_for_each_coin() -> None:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    assert _fold(account_id)["hedge-limits"] == {"BTC": {"ratio": "0.5", "max_amount": None}}
    assert HedgeLimit.objects.get(account_id=account_id).coin == "BTC"


def test_eighteen_decimals_are_kept_exactly() -> None:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    assert str(Balance.objects.get(account_id=account_id, currency="USDT").amount) == "100.000000000000000001"


def test_a_loaded_account_is_margined_by_the_methodology_it_names() -> None:
    list_instruments()
    standard = account_document("A-2", methodology="standard", hedge_mode=None)
    enrolled_id, standard_id = load(make_tenant("acme"), account_document("A-1"), standard)
    enrolled, plain = Account.objects.get(pk=enrolled_id), Account.objects.get(pk=standard_id)
    assert (enrolled.margin_methodology, enrolled.eligibility_state) == ("okx-2025", "active")
    assert (plain.margin_methodology, plain.eligibility_state) == ("standard", "standard")


def test_a_load_leaves_one_message_in_the_outbox() -> None:
    list_instruments()
    load(make_tenant("acme"), account_document("A-1"), account_document("A-2"))
    assert OutboxRow.objects.get(topic="accounts.loaded").payload["accounts"] == 2


def test_a_flat_position_is_left_out() -> None:
    list_instruments()
    flat = {"instrument": SWAP, "quantity": "0", "entry_price": "1"}
    [account_id] = load(make_tenant("acme"), account_document(positions=[flat]))
    assert not Position.objects.filter(account_id=account_id).exists()


def test_one_bad_amount_refuses_the_whole_load() -> None:
    list_instruments()
    bad = account_document("A-2", balances={"USDT": "0.0000000000000000001"})
    assert _refused(account_document("A-1"), bad) == {
        "accounts[1].balances.USDT": "has more than 18 decimal places"
    }
    assert not Account.objects.exists()


def test_every_fault_is_named_with_its_path() -> None:
    list_instruments()
    faults = _refused(
        account_document(
            code="A 1",
            methodology="okx-1999",
            positions=[
                {"instrument": SPOT, "quantity": "1", "entry_price": "1"},
                {"instrument": SWAP, "quantity": "1" + "0" * 20, "entry_price": "0"},
                {"instrument": CALL, "quantity": "1", "entry_price": "0"},
            ],
            orders=[{"instrument": "DOGE-X", "side": "hold", "quantity": "-1", "price": "1"}],
        )
    )
    assert set(faults) == {
        "accounts[0].id",
        "accounts[0].methodology",
        "accounts[0].positions[0].instrument",
        "accounts[0].positions[1].quantity",
        "accounts[0].positions[1].entry_price",
        "accounts[0].orders[0].instrument",
        "accounts[0].orders[0].side",
        "accounts[0].orders[0].quantity",
    }


def test_a_code_that_is_given_twice_or_taken_is_refused() -> None:
    list_instruments()
    assert _refused(account_document(), account_document()) == {"accounts[1].id": "is given twice"}
    tenant = make_tenant("other")
    load(tenant, account_document())
    with pytest.raises(ValidationFailed, match="is the code of an account that exists"):
        load(tenant, account_document())


def test_a_thousand_accounts_load_within_three_seconds_of_a_core() -> None:
    list_instruments()
    balances = {f"C{number}": "1000.5" for number in range(12)}
    documents = [account_document(f"A-{number}", balances=balances) for number in range(1_000)]
    start = time.process_time()
    load(make_tenant("acme"), *documents)
    assert time.process_time() - start < 3
    assert LedgerEntry.objects.count() == 1_000 * (2 + 12 + 2 + 1)
