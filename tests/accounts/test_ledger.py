from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError

from accounts.choices import LedgerKind
from accounts.models import Account, LedgerEntry, Position
from accounts.services.changes import account_changing, balance_add, balance_set, position_set
from pmplatform.common.errors import NotFound, ValidationFailed
from pmplatform.common.models import OutboxRow
from tests.accounts.books import ACTOR, NOW, SPOT, SWAP, account_document, list_instruments, load, make_tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def account_id() -> int:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    return account_id


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_ledgerentry SET by = 'nobody'",
        "DELETE FROM accounts_ledgerentry",
        "TRUNCATE accounts_ledgerentry",
    ],
)
def test_the_database_refuses_to_rewrite_the_ledger(account_id: int, statement: str) -> None:
    with connection.cursor() as cursor:
        # Foreign keys of the load are still to be checked, and would stop TRUNCATE by themselves.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            cursor.execute(statement)


def test_a_change_writes_before_and_after_and_moves_the_ledger_position(account_id: int) -> None:
    with account_changing(account_id=account_id, kind=LedgerKind.TRANSFER, actor=ACTOR, now=NOW) as change:
        balance_add(change=change, currency="USDT", amount=Decimal("-0.000000000000000001"))
    entry = LedgerEntry.objects.latest("id")
    assert (entry.kind, entry.subject, entry.by) == ("transfer", "balance:USDT", ACTOR.name)
    assert entry.before == {"amount": "100.000000000000000001"}
    assert entry.after == {"amount": "100"}
    assert Account.objects.get(pk=account_id).ledger_position == entry.pk
    assert OutboxRow.objects.latest("id").payload == {"account": account_id}


def test_a_change_holds_its_account_whole_and_as_django_reads_it(account_id: int) -> None:
    with account_changing(account_id=account_id, kind=LedgerKind.TRANSFER, actor=ACTOR, now=NOW) as change:
        position = change.held(SWAP).position
        assert position is not None
        for held in (change.account, position):
            assert not held.get_deferred_fields()
            read = type(held)._base_manager.get(pk=held.pk)
            names = [column.attname for column in held._meta.concrete_fields]
            assert [getattr(held, name) for name in names] == [getattr(read, name) for name in names]


def test_a_change_that_changes_nothing_leaves_no_trace(account_id: int) -> None:
    count = LedgerEntry.objects.count()
    with account_changing(account_id=account_id, kind=LedgerKind.TRANSFER, actor=ACTOR, now=NOW) as change:
        balance_set(change=change, currency="BTC", amount=Decimal("1.50"))
    assert LedgerEntry.objects.count() == count


def test_a_position_set_to_zero_is_gone_and_its_ledger_ends_in_null(account_id: int) -> None:
    with account_changing(account_id=account_id, kind=LedgerKind.FILL, actor=ACTOR, now=NOW) as change:
        position_set(change=change, instrument=SWAP, quantity=Decimal(0), entry_price=Decimal(1))
    assert not Position.objects.filter(account_id=account_id, instrument__code=SWAP).exists()
    assert LedgerEntry.objects.latest("id").after is None


def test_spot_is_no_position(account_id: int) -> None:
    with (
        pytest.raises(ValidationFailed, match="held as a balance"),
        account_changing(account_id=account_id, kind=LedgerKind.FILL, actor=ACTOR, now=NOW) as change,
    ):
        position_set(change=change, instrument=SPOT, quantity=Decimal(1), entry_price=Decimal(1))


def test_an_unknown_account_is_not_found() -> None:
    with (
        pytest.raises(NotFound),
        account_changing(account_id=1, kind=LedgerKind.FILL, actor=ACTOR, now=NOW),
    ):
        pytest.fail("the account was locked")
