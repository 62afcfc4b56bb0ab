"""Fills of accounts: one change of position, cash, order and ledger, whoever reports at the same time."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.documents import FillDocument
from accounts.models import Fill, LedgerEntry, Order
from accounts.verification import ledger_mismatches
from margin.services.fills import fill_record
from pmplatform.common.errors import Conflict, LockTimeout, NotFound, ValidationFailed
from tests.margin.desks import ACTOR, CALL, SPOT, SWAP, account_of, cash, fill, positions

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 50


def _record(account_id: int, document: FillDocument) -> Fill:
    recorded = fill_record(account_id=account_id, fill=document, actor=ACTOR, now=timezone.now())
    assert isinstance(recorded, Fill)
    return recorded


def test_a_fill_moves_position_cash_and_fee_in_one_change_of_the_ledger() -> None:
    account_id = account_of({"USDT": "1000"}, [(SWAP, "10", "100000")])
    position = LedgerEntry.objects.latest("id").pk
    _record(account_id, fill(SWAP, "sell", "4", "101000", fee="2.5"))
    assert positions(account_id) == {SWAP: (Decimal(6), Decimal(100_000))}
    assert cash(account_id) == {"USDT": Decimal("1037.5")}
    rows = LedgerEntry.objects.filter(pk__gt=position)
    assert {(row.kind, row.subject) for row in rows} == {
        ("fill", f"position:{SWAP}"),
        ("fill", "balance:USDT"),
    }
    assert list(ledger_mismatches()) == []


def test_an_option_is_paid_in_its_coin_and_spot_moves_two_balances() -> None:
    account_id = account_of({"USDT": "60000"})
    _record(account_id, fill(SPOT, "buy", "0.5", "100000"))
    _record(account_id, fill(CALL, "buy", "10", "0.02", fee_currency="BTC", fee="0.0001"))
    assert cash(account_id) == {"USDT": Decimal(10_000), "BTC": Decimal("0.4979")}
    assert positions(account_id) == {CALL: (Decimal(10), Decimal("0.02"))}


def test_a_fill_takes_from_its_order_and_no_more_than_is_open() -> None:
    account_id = account_of({"USDT": "1000"}, orders=[(SWAP, "buy", "5", "99000")])
    order = Order.objects.get()
    _record(account_id, fill(SWAP, "buy", "2", "98000", order_id=order.pk))
    order.refresh_from_db()
    assert (order.state, order.open_quantity) == ("open", 3)
    with pytest.raises(ValidationFailed, match="quantity"):
        _record(account_id, fill(SWAP, "buy", "4", "98000", order_id=order.pk))
    _record(account_id, fill(SWAP, "buy", "3", "98000", order_id=order.pk))
    order.refresh_from_db()
    assert order.state == "filled"
    with pytest.raises(Conflict, match="filled"):
        _record(account_id, fill(SWAP, "buy", "1", "98000", order_id=order.pk))
    assert positions(account_id) == {SWAP: (Decimal(5), Decimal(98_000))}


def test_a_fill_that_does_not_fit_its_order_is_refused_and_leaves_nothing() -> None:
    account_id = account_of({"USDT": "1000"}, orders=[(SWAP, "buy", "5", "99000")])
    order_id = Order.objects.get().pk
    for document, problem in (
        (fill(SWAP, "sell", "1", "99000", order_id=order_id), "side: is not the order's buy"),
        (fill(SPOT, "buy", "1", "99000", order_id=order_id), f"instrument: is not the order's {SWAP}"),
    ):
        with pytest.raises(ValidationFailed, match=problem):
            _record(account_id, document)
    with pytest.raises(NotFound):
        _record(account_id, fill(SWAP, "buy", "1", "99000", order_id=order_id + 1))
    assert not Fill.objects.exists()
    assert cash(account_id) == {"USDT": Decimal(1000)}


def test_every_fault_of_a_fill_is_named() -> None:
    account_id = account_of()
    with pytest.raises(ValidationFailed) as refusal:
        _record(account_id, fill("NONE", "hold", "0", "1", fee="1e-19", fee_currency="usdt"))
    paths = [error.path for error in refusal.value.errors]
    assert paths == ["instrument", "side", "quantity", "fee", "fee_currency"]


def test_a_fill_reported_twice_has_one_effect_and_another_under_its_name_is_a_conflict() -> None:
    account_id = account_of({"USDT": "1000"})
    once = _record(account_id, fill(SWAP, "buy", "2", "98000", client_id="t-1"))
    again = _record(account_id, fill(SWAP, "buy", "2.0", "98000", client_id="t-1"))
    assert once.pk == again.pk
    assert positions(account_id) == {SWAP: (Decimal(2), Decimal(98_000))}
    with pytest.raises(Conflict, match="t-1"):
        _record(account_id, fill(SWAP, "buy", "3", "98000", client_id="t-1"))


def test_the_database_refuses_to_rewrite_a_fill() -> None:
    _record(account_of({"USDT": "1000"}), fill(SWAP, "buy", "2", "98000"))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Fill.objects.update(quantity=1)


def test_fifty_concurrent_fills_of_one_account_are_all_there_once() -> None:
    account_id = account_of({"USDT": "1000"})

    def report(number: int) -> None:
        side, price = ("sell", "100010") if number % 5 == 0 else ("buy", "100000")
        try:
            # Reported twice each, as after a lost answer; a busy account is tried again, as a client would.
            for _ in range(2):
                _until_free(account_id, number, side, price)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(report, range(WRITERS)))
    assert Fill.objects.filter(account_id=account_id).count() == WRITERS
    [(quantity, entry)] = positions(account_id).values()
    assert quantity == 40 - 10
    # Whatever the order was: cash and the position's cost are those of all the trades, but for rounding.
    traded = Decimal("0.01") * (10 * 100_010 - 40 * 100_000)
    fees = WRITERS * Decimal("0.25")
    total = cash(account_id)["USDT"] - Decimal("0.01") * quantity * entry
    assert total == pytest.approx(1000 + traded - fees, abs=Decimal("1e-12"))
    assert list(ledger_mismatches()) == []


def _until_free(account_id: int, number: int, side: str, price: str) -> None:
    while True:
        try:
            _record(account_id, fill(SWAP, side, "1", price, fee="0.25", client_id=f"t-{number}"))
        except LockTimeout:
            continue
        return
