from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.choices import LedgerKind
from accounts.documents import HedgeLimitDocument, OrderDocument
from accounts.models import Balance, HedgeLimit, Position
from accounts.services.accounts import account_create, hedge_limits_set
from accounts.services.changes import account_changing, balance_add, position_set
from accounts.services.orders import order_cancel, order_fill, order_place
from accounts.verification import ledger_mismatches
from tests.accounts.books import ACTOR, NOW, SWAP, account_document, list_instruments, load, make_tenant


def _load() -> int:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    return account_id


@pytest.mark.django_db
def test_whatever_the_writers_do_the_ledger_folds_to_the_rows() -> None:
    _load()
    account_id = account_create(
        tenant_id=make_tenant("other").pk, code="N", methodology="bybit-uta", actor=ACTOR, now=NOW
    ).pk
    with account_changing(account_id=account_id, kind=LedgerKind.FILL, actor=ACTOR, now=NOW) as change:
        balance_add(change=change, currency="USDT", amount=Decimal("-5.5"))
        position_set(change=change, instrument=SWAP, quantity=Decimal(2), entry_price=Decimal(90_000))
        position_set(change=change, instrument=SWAP, quantity=Decimal(0), entry_price=Decimal(90_000))
        hedge_limits_set(change=change, limits={"ETH": HedgeLimitDocument(Decimal(1), Decimal(3))})
        hedge_limits_set(change=change, limits={})
        bid = OrderDocument(SWAP, "buy", Decimal(5), Decimal(90_000))
        order_cancel(change=change, order_id=order_place(change=change, order=bid).pk)
        filled = order_place(change=change, order=bid, client_id="bid-1")
        order_fill(change=change, order_id=filled.pk, quantity=Decimal(2))
        order_fill(change=change, order_id=filled.pk, quantity=Decimal(3))
    assert list(ledger_mismatches()) == []


@pytest.mark.django_db
def test_a_row_changed_behind_the_ledger_is_found() -> None:
    account_id = _load()
    Balance.objects.filter(currency="BTC").update(amount=2)
    Position.objects.filter(instrument__code=SWAP).delete()
    HedgeLimit.objects.create(account_id=account_id, coin="ETH")
    found = {mismatch.subject: mismatch for mismatch in ledger_mismatches()}
    assert set(found) == {"balance:BTC", f"position:{SWAP}", "hedge-limits"}
    assert (found["balance:BTC"].ledger, found["balance:BTC"].rows) == ({"amount": "1.5"}, {"amount": "2"})
    assert found[f"position:{SWAP}"].rows is None


@pytest.mark.django_db(transaction=True)
def test_the_command_says_so_and_fails_when_they_differ() -> None:
    _load()
    out, err = StringIO(), StringIO()
    call_command("verify_ledger", stdout=out)
    assert out.getvalue().startswith("the accounts agree with the ledger at position ")
    Balance.objects.filter(currency="BTC").update(amount=2)
    with pytest.raises(CommandError, match="1 subjects differ") as failure:
        call_command("verify_ledger", stderr=err)
    assert failure.value.returncode == 1
    assert "balance:BTC: ledger {'amount': '1.5'}, rows {'amount': '2'}" in err.getvalue()
