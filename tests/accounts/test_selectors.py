import json
from decimal import Decimal

import pytest

from accounts import selectors
from accounts.margin_rows import margin_rows
from accounts.models import Account, LedgerEntry, Order
from pmplatform.common.errors import NotFound
from tests.accounts.books import (
    CALL,
    SWAP,
    account_document,
    list_instruments,
    load,
    make_tenant,
    principal_in,
)

pytestmark = pytest.mark.django_db


def test_a_tenant_sees_its_own_accounts_and_the_platform_all() -> None:
    list_instruments()
    acme, other = make_tenant("acme"), make_tenant("other")
    [mine], [theirs] = load(acme, account_document()), load(other, account_document())
    assert [row.pk for row in selectors.accounts_visible(principal=principal_in(acme))] == [mine]
    assert {row.pk for row in selectors.accounts_visible(principal=principal_in(None))} == {mine, theirs}
    with pytest.raises(NotFound):
        selectors.account_get(principal=principal_in(acme), account_id=theirs)


def test_rows_for_margin_come_by_account_and_instrument() -> None:
    list_instruments()
    ids = load(make_tenant("acme"), account_document("A-1"), account_document("A-2"))
    positions = [(CALL, Decimal(3), Decimal("0.05")), (SWAP, Decimal(-10), Decimal(100_000))]
    assert selectors.position_rows(ids) == [(pk, *position) for pk in ids for position in positions]
    assert [row[:2] for row in selectors.balance_rows(ids)] == [
        (pk, coin) for pk in ids for coin in ("BTC", "USDT")
    ]
    assert selectors.order_rows(ids) == [(pk, SWAP, "buy", Decimal(5), Decimal(90_000)) for pk in ids]
    positions_in_ledger = dict(Account.objects.values_list("pk", "ledger_position"))
    by_one_statement = margin_rows(ids)
    assert [row[:5] for row in by_one_statement] == [
        (pk, code, "okx-2025", "spot_hedge", positions_in_ledger[pk])
        for pk, code in zip(ids, ("A-1", "A-2"), strict=True)
    ]
    amounts = [
        [[name, *map(Decimal, rest)] for name, *rest in json.loads(row[6])] for row in by_one_statement
    ]
    assert amounts == [[list(position) for position in positions]] * 2
    orders = [json.loads(row[7]) for row in by_one_statement]
    assert [[(code, side, Decimal(size)) for code, side, size, _ in rows] for rows in orders] == [
        [(SWAP, "buy", Decimal(5))]
    ] * 2
    limits = [
        [(coin, Decimal(ratio), most) for coin, ratio, most in json.loads(row[8])] for row in by_one_statement
    ]
    assert limits == [[("BTC", Decimal("0.5"), None)]] * 2


def test_margin_does_not_see_orders_that_are_closed() -> None:
    list_instruments()
    ids = load(make_tenant("acme"), account_document())
    Order.objects.update(state="cancelled")
    assert selectors.order_rows(ids) == []
    assert [row[7] for row in margin_rows(ids)] == ["[]"]


def test_account_ids_are_grouped_by_the_methodology_in_force() -> None:
    list_instruments()
    standard = account_document("A-2", methodology="standard")
    first, second = load(make_tenant("acme"), account_document(), standard)
    assert selectors.account_ids_by_methodology() == {"okx-2025": [first], "standard": [second]}


def test_the_ledger_position_is_the_newest_row() -> None:
    assert selectors.ledger_position() == 0
    list_instruments()
    load(make_tenant("acme"), account_document())
    assert selectors.ledger_position() == LedgerEntry.objects.latest("id").pk
