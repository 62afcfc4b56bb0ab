"""Books cut out of columns are those made of rows, bit by bit; and workers need share no directory."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from accounts import selectors as accounts
from accounts.columns import book_columns
from margin import selectors
from margin.assembly import shard_book
from margin.choices import RunReason, RunState
from margin.engine.book import Book
from margin.provenance import account_hashes
from margin.services import cutting
from margin.services.reading import account_inputs
from margin.services.runs import run_start
from margin.shards import Columns, cuts
from margin.tasks import enqueue
from tests.margin.test_runs import finished, work_through
from tests.margin.world import demo_world, newest_run
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def assert_same(first: Book, second: Book) -> None:
    assert (first.ids, first.currencies) == (second.ids, second.currencies)
    assert np.array_equal(first.hedge_mode, second.hedge_mode)
    for table in ("balances", "positions", "lots", "orders", "spot_orders", "hedge_limits"):
        mine, its = getattr(first, table), getattr(second, table)
        for column in dataclasses.fields(mine):
            ours, theirs = getattr(mine, column.name), getattr(its, column.name)
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs), f"{table}.{column.name}"


@pytest.mark.parametrize("leaving_out", [0, 7])
def test_a_shard_of_columns_is_the_book_of_the_same_rows(leaving_out: int) -> None:
    snapshot = demo_world(60)
    rows = selectors.snapshot_market(snapshot.pk)
    for name, ids in accounts.account_ids_by_methodology().items():
        source = book_columns(ids=ids, codes=accounts.instrument_codes())
        columns = Columns.of(source, name, rows, rows.to_market())
        taken = np.arange(len(ids)) != leaving_out
        shard = columns.part(0, taken)
        chosen = [pk for pk, is_taken in zip(ids, taken, strict=True) if is_taken]
        inputs = account_inputs(chosen)
        assert_same(shard.book(), shard_book([account.to_rows() for account in inputs], rows))
        assert shard.ledger_positions.tolist() == [account.ledger_position for account in inputs]


def test_an_accounts_hash_does_not_depend_on_its_shard() -> None:
    snapshot = demo_world(12)
    rows = selectors.snapshot_market(snapshot.pk)
    inputs = account_inputs([pk for ids in accounts.account_ids_by_methodology().values() for pk in ids])
    together = account_hashes(shard_book([account.to_rows() for account in inputs], rows))
    alone = [account_hashes(shard_book([account.to_rows()], rows))[0] for account in inputs]
    assert together == alone
    assert len(set(alone)) == len(alone)


def test_shards_end_with_accounts_or_with_positions() -> None:
    sizes = np.array([1, 1, 1, 50, 200, 1, 1])
    assert list(cuts(sizes, accounts=3, positions=60)) == [(0, 3), (3, 4), (4, 5), (5, 7)]
    assert list(cuts(np.zeros(0, dtype=np.int64), accounts=3, positions=60)) == []


def test_workers_that_share_no_directory_end_a_run_in_the_same_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo_world(60)
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 8)
    work_through(run_start(reason=RunReason.MANUAL))
    alone = newest_run()
    places = [{"PM_DATA_DIR": str(tmp_path / name)} for name in ("one", "other")]
    with start_worker(extra=places[0]), start_worker(extra=places[1]):
        enqueue(run_start(reason=RunReason.MANUAL))
        run = newest_run()
        wait_until(lambda: finished(run))
    assert run.state == RunState.COMPLETED, run.failure
    assert run.result_sha256 == alone.result_sha256
