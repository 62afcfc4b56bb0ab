"""What is kept of the book is what the database holds: unchanged, moved on, damaged, of another database."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts import kept, selectors
from accounts.choices import LedgerKind
from accounts.columns import BookColumns, book_columns
from accounts.kept import kept_columns
from accounts.models import Account, Position
from accounts.services.changes import account_changing, balance_set, position_set
from pmplatform.common.principals import Actor
from pmplatform.common.transactions import one_view
from tests.margin.world import demo_world

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2025, 2, 3, 11, 0, tzinfo=UTC)
_TOUCHED = """
    SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables
    WHERE relname IN ('accounts_position', 'accounts_order', 'accounts_balance', 'accounts_hedgelimit')
"""


@pytest.fixture(autouse=True)
def book(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A world of accounts in blocks of seven; yields where its files are."""
    settings.PM_DATA_DIR = tmp_path
    monkeypatch.setattr(kept, "BLOCK", 7)
    demo_world(40)
    return tmp_path / "book"


def all_ids() -> list[int]:
    return list(Account.objects.order_by("pk").values_list("pk", flat=True))


def read(ids: list[int]) -> tuple[BookColumns, set[int]]:
    """The columns as they are kept, and the accounts whose holdings were read of the database for them."""
    accounts: set[int] = set()

    def recorded(*, ids: list[int], **rest: Any) -> BookColumns:
        accounts.update(ids)
        return book_columns(ids=ids, **rest)

    with one_view(), connection.cursor() as cursor, pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "book_columns", recorded)
        cursor.execute(_TOUCHED)
        before = cursor.fetchone()
        [columns] = kept_columns(ids=ids, codes=selectors.instrument_codes(), size=len(ids))
        cursor.execute(_TOUCHED)
        # PostgreSQL's own count of the rows it read says the same.
        assert bool(accounts) == (cursor.fetchone() != before)
    return columns, accounts


def assert_as_stored(columns: BookColumns, ids: list[int]) -> None:
    stored = book_columns(ids=ids, codes=selectors.instrument_codes())
    for name, table in stored.tables().items():
        assert np.array_equal(getattr(columns, name), table), name


def change(account: int) -> None:
    """Close a position of the account, and give it cash in a currency of its own."""
    actor = Actor(name="tests", request_id="kept")
    with account_changing(account_id=account, kind=LedgerKind.FILL, actor=actor, now=NOW) as moving:
        held = Position.objects.filter(account=account).select_related("instrument").first()
        if held is not None:
            position_set(
                change=moving,
                instrument=held.instrument.code,
                quantity=Decimal(0),
                entry_price=held.entry_price,
            )
        balance_set(change=moving, currency="EUR", amount=Decimal(account))


def test_a_second_reading_reads_no_holding() -> None:
    ids = all_ids()
    first, cold = read(ids)
    second, warm = read(ids)
    assert cold == set(ids)
    assert warm == set()
    assert_as_stored(first, ids)
    assert_as_stored(second, ids)


@pytest.mark.parametrize("step", [2, 3])
def test_some_accounts_of_several_blocks(step: int) -> None:
    ids = all_ids()[1:-1:step]
    for _ in range(2):
        columns, _rows = read(ids)
        assert_as_stored(columns, ids)


@pytest.mark.parametrize("tail", [0, 1_024])
def test_only_what_has_changed_is_read_again(tail: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "TAIL", tail)
    ids = all_ids()
    read(ids)
    for account in ids[3:17:6]:
        change(account)
    columns, changed = read(ids)
    assert changed == set(ids[3:17:6])
    assert_as_stored(columns, ids)
    again, rest = read(ids)
    assert_as_stored(again, ids)
    # A long tail is written to the files, a short one read each time.
    assert rest == (set() if tail == 0 else changed)


def test_a_ledger_row_that_commits_after_a_higher_one_is_not_missed() -> None:
    ids = all_ids()
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('accounts_ledgerentry', 'id'))")
        low = int(cursor.fetchone()[0])
    change(ids[2])
    read(ids)
    Position.objects.filter(account=ids[5]).update(quantity=Decimal(77))
    Account.objects.filter(pk=ids[5]).update(ledger_position=low)
    columns, late = read(ids)
    assert ids[5] in late
    assert_as_stored(columns, ids)


@pytest.mark.parametrize("harm", ["truncated", "corrupt", "empty", "missing"])
def test_a_damaged_file_is_made_again(harm: str, book: Path) -> None:
    ids = all_ids()
    read(ids)
    [file, *_] = sorted(book.iterdir())
    content = file.read_bytes()
    harmed = {"truncated": content[:-9], "corrupt": content[:-9] + b"\1" + content[-8:], "empty": b""}
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(harmed[harm])
    columns, again = read(ids)
    assert set() < again < set(ids)
    assert_as_stored(columns, ids)
    columns, rest = read(ids)
    assert rest == set()
    assert_as_stored(columns, ids)


def test_files_of_another_database_or_layout_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = all_ids()
    read(ids)
    monkeypatch.setattr(
        kept, "_DATABASE", kept._DATABASE.replace("concat_ws('/',", "concat_ws('/', 'other',")
    )
    columns, other = read(ids)
    assert other == set(ids)
    assert_as_stored(columns, ids)
    monkeypatch.setattr(kept, "_kinds", lambda: {"accounts": "narrower"})
    columns, older = read(ids)
    assert older == set(ids)
    assert_as_stored(columns, ids)


def test_an_emptied_and_filled_database_is_another_one() -> None:
    ids = all_ids()
    read(ids)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_position")
        cursor.execute("VACUUM FULL accounts_ledgerentry")
    columns, again = read(ids)
    assert again == set(ids)
    assert_as_stored(columns, ids)


def test_outside_of_one_view_nothing_is_read() -> None:
    with pytest.raises(RuntimeError, match="one view"):
        next(kept_columns(ids=all_ids(), codes=selectors.instrument_codes(), size=8))


def test_some_at_a_time_are_the_same_and_no_block_is_read_twice() -> None:
    ids, codes, blocks = all_ids(), selectors.instrument_codes(), []

    def recorded(*, ids: list[int], **rest: Any) -> BookColumns:
        blocks.append(ids)
        return book_columns(ids=ids, **rest)

    with one_view(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "book_columns", recorded)
        found = list(kept_columns(ids=ids, codes=codes, size=5))
    assert len(found) > len(blocks) > 1
    assert [pk for block in blocks for pk in block] == ids
    for number, columns in enumerate(found):
        assert_as_stored(columns, ids[5 * number : 5 * number + 5])
