"""A run gives the same, bit by bit, from kept, updated and rebuilt shards; and from those of this host."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts import kept
from accounts.choices import LedgerKind
from accounts.models import Account
from accounts.services.changes import account_changing, balance_add
from margin import selectors
from margin.choices import RunReason, RunState
from margin.services import blobs, cutting
from margin.services.margining import margining_by
from margin.services.runs import run_start
from margin.tasks import enqueue
from tests.margin.test_runs import finished, work_through
from tests.margin.world import ACTOR, AS_OF, demo_world, newest_run
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def directory(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty accounts, blocks of sixteen and shards of eight; yields where files are kept."""
    settings.PM_DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(kept, "BLOCK", 16)
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 8)
    demo_world(60)
    return tmp_path / "data"


def hash_of_a_run() -> str:
    """The result hash of a run by this process."""
    margining_by.cache_clear()
    work_through(run_start(reason=RunReason.MANUAL))
    run = newest_run()
    assert run.state == RunState.COMPLETED, run.failure
    return run.result_sha256


def nothing(directory: Path) -> None:
    pass


def no_files(directory: Path) -> None:
    shutil.rmtree(directory)


def shorter_files(directory: Path) -> None:
    for file in (path for path in directory.rglob("*") if path.is_file()):
        file.write_bytes(file.read_bytes()[:-5])


def turned_bits(directory: Path) -> None:
    for file in (path for path in directory.rglob("*") if path.is_file()):
        content = bytearray(file.read_bytes())
        content[-5] ^= 4
        file.write_bytes(content)


@pytest.mark.parametrize("harm", [nothing, no_files, shorter_files, turned_bits])
def test_a_second_run_ends_in_the_same_hash(harm: Callable[[Path], None], directory: Path) -> None:
    first = hash_of_a_run()
    assert {path.name for path in directory.iterdir()} == {"book", "blobs"}
    harm(directory)
    assert hash_of_a_run() == first


@pytest.mark.parametrize("tail", [0, 1_024])
def test_updated_shards_give_what_rebuilt_ones_give(
    tail: int, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "TAIL", tail)
    before = hash_of_a_run()
    for account in Account.objects.order_by("pk")[3:50:9]:
        with account_changing(
            account_id=account.pk, kind=LedgerKind.TRANSFER, actor=ACTOR, now=AS_OF
        ) as change:
            balance_add(change=change, currency="USDT", amount=Decimal("12.5"))
    updated, again = hash_of_a_run(), hash_of_a_run()
    no_files(directory)
    assert updated == again == hash_of_a_run() != before


def test_shards_and_arrays_are_read_of_files_while_these_are_whole(directory: Path) -> None:
    first = hash_of_a_run()
    parts = list(newest_run().parts.values_list("input_key", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE margin_blob SET content = ''")
    assert hash_of_a_run() == first
    turned_bits(directory / "blobs")
    assert {selectors.blob(key) for key in parts} == {b""}
    assert all(blobs.blob_read(key=key) == b"" for key in parts)


def test_files_stay_within_their_bounds(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "FILES_BYTES", 1_000)
    for number in range(8):
        blobs.blob_keep(key=f"{number:064d}", content=bytes(200))
    left = sorted(path.name for path in (directory / "blobs").iterdir())
    assert left == [f"{number:064d}" for number in range(5, 8)]


def test_workers_without_a_common_directory_fetch_what_they_lack(tmp_path: Path) -> None:
    alone = hash_of_a_run()
    places = [tmp_path / name for name in ("one", "other")]
    with (
        start_worker(extra={"PM_DATA_DIR": str(places[0])}),
        start_worker(extra={"PM_DATA_DIR": str(places[1])}),
    ):
        enqueue(run_start(reason=RunReason.MANUAL))
        run = newest_run()
        wait_until(lambda: finished(run))
    assert run.state == RunState.COMPLETED, run.failure
    assert run.result_sha256 == alone
    fetched = [path for place in places for path in (place / "blobs").glob("*")]
    assert {path.name for path in fetched} >= set(
        run.parts.filter(kind="margin").values_list("input_key", flat=True)
    )
