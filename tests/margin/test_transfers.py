"""Deposits always come in; a withdrawal leaves what covers the initial margin."""

from decimal import Decimal

import pytest

from accounts.choices import Methodology
from accounts.models import Account, LedgerEntry, Transfer
from accounts.verification import ledger_mismatches
from margin.services.transfers import account_withdrawable, transfer_record
from pmplatform.common.errors import Conflict, Refused, ValidationFailed
from tests.margin.desks import ACTOR, AS_OF, SWAP, account_of, cash, transfer

pytestmark = pytest.mark.django_db(transaction=True)

EVERY_METHODOLOGY = pytest.mark.parametrize("methodology", list(Methodology))
CENT = Decimal("0.01")


def _move(account_id: int, currency: str, amount: Decimal | str, client_id: str = "") -> Transfer:
    document = transfer(currency, str(amount), client_id)
    moved = transfer_record(account_id=account_id, transfer=document, actor=ACTOR, now=AS_OF)
    assert isinstance(moved, Transfer)
    return moved


def _withdrawable(account_id: int) -> dict[str, Decimal]:
    methodology = Account.objects.get(pk=account_id).margin_methodology
    found = account_withdrawable(account_id=account_id, methodology=methodology)
    return {each.currency: each.amount for each in found.currencies}


def test_a_deposit_is_one_row_of_the_ledger() -> None:
    account_id = account_of()
    _move(account_id, "USDC", "0.000000000000000001")
    assert cash(account_id) == {"USDC": Decimal("1e-18")}
    newest = LedgerEntry.objects.latest("id")
    assert (newest.kind, newest.subject) == ("transfer", "balance:USDC")
    assert list(ledger_mismatches()) == []


@EVERY_METHODOLOGY
def test_without_positions_all_of_the_cash_may_leave_to_the_last_digit(methodology: str) -> None:
    amount = "1234.567890123456789012"
    account_id = account_of({"USDT": amount}, methodology=methodology)
    assert _withdrawable(account_id) == {"USDT": Decimal(amount)}
    _move(account_id, "USDT", f"-{amount}")
    assert cash(account_id) == {"USDT": 0}


@EVERY_METHODOLOGY
def test_what_is_withdrawable_may_leave_and_a_cent_more_may_not(methodology: str) -> None:
    account_id = account_of({"USDT": "30000"}, [(SWAP, "20", "100000")], methodology=methodology)
    most = _withdrawable(account_id)["USDT"]
    assert 0 < most < 30_000
    with pytest.raises(Refused) as refusal:
        _move(account_id, "USDT", -(most + CENT))
    figures = {name: Decimal(text) for name, text in refusal.value.figures.items()}
    assert figures["withdrawable"] == most
    assert figures["imr_after"] > figures["adjusted_equity_after"] - CENT
    _move(account_id, "USDT", -most)
    assert cash(account_id) == {"USDT": 30_000 - most}
    assert _withdrawable(account_id)["USDT"] < CENT


@pytest.mark.parametrize("methodology", [Methodology.OKX_2025, Methodology.STANDARD])
def test_cash_may_be_borrowed_against_another_currency_as_far_as_it_is_margined(methodology: str) -> None:
    account_id = account_of({"USDT": "100", "BTC": "1"}, methodology=methodology)
    most = _withdrawable(account_id)["USDT"]
    assert 10_000 < most < 100_100
    with pytest.raises(Refused, match="may be withdrawn"):
        _move(account_id, "USDT", -(most + 1))
    _move(account_id, "USDT", -most)


def test_bybit_lets_no_more_leave_than_there_is() -> None:
    account_id = account_of({"USDT": "100", "BTC": "1"}, methodology=Methodology.BYBIT_UTA)
    assert _withdrawable(account_id)["USDT"] == 100
    with pytest.raises(Refused, match="Only 100 USDT"):
        _move(account_id, "USDT", "-100.000000000000000001")


@EVERY_METHODOLOGY
def test_an_account_short_of_initial_margin_may_take_nothing_out_and_may_deposit(methodology: str) -> None:
    account_id = account_of({"USDT": "50"}, [(SWAP, "100", "100000")], methodology=methodology)
    assert _withdrawable(account_id) == {"USDT": 0}
    with pytest.raises(Refused):
        _move(account_id, "USDT", "-0.01")
    _move(account_id, "USDT", "10")
    assert cash(account_id) == {"USDT": 60}


def test_nothing_leaves_an_account_in_liquidation() -> None:
    account_id = account_of({"USDT": "100"})
    Account.objects.update(in_liquidation=True)
    with pytest.raises(Refused, match="in liquidation"):
        _move(account_id, "USDT", "-1")


def test_a_transfer_reported_twice_moves_once_and_another_under_its_name_is_a_conflict() -> None:
    account_id = account_of()
    once, again = (_move(account_id, "USDT", "5", "t-1") for _ in range(2))
    assert once.pk == again.pk
    assert cash(account_id) == {"USDT": 5}
    with pytest.raises(Conflict, match="t-1"):
        _move(account_id, "USDT", "6", "t-1")


def test_a_transfer_of_nothing_or_of_no_currency_is_refused() -> None:
    account_id = account_of()
    with pytest.raises(ValidationFailed) as refusal:
        _move(account_id, "usdt", "0")
    assert [error.path for error in refusal.value.errors] == ["currency", "amount"]
