"""The distributed run against real PostgreSQL, a real broker and worker processes of their own."""

import json
import signal
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from accounts.choices import LedgerKind
from accounts.models import Account, Position, Tenant
from accounts.services.changes import account_changing, position_set
from accounts.services.loading import accounts_load
from margin.choices import PartKind, PartState, RunReason, RunState
from margin.engine.simulation import margin_report
from margin.feeds.chains import read_chain
from margin.models import (
    Blob,
    MarginResult,
    MarginRun,
    MarginRunPart,
    MarketSnapshot,
    ParameterVersion,
    UnitResult,
)
from margin.parameter_files import shipped_library
from margin.services import cutting, parts, runs
from margin.services.market import snapshot_accept
from margin.services.reports import report_bytes
from margin.services.retention import runs_prune
from margin.services.transfers import transfer_record
from margin.tasks import enqueue
from pmplatform.common.errors import Refused, StaleClaim
from pmplatform.demo.accounts import demo_accounts
from tests.margin.desks import transfer
from tests.margin.world import ACTOR, AS_OF, SEED, demo_market_document, demo_world, newest_run, world
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/option_chains"
CRASH_CHAIN = RECORDED / "deribit_options_snapshot_20260205T155132Z.csv"


def start_run() -> MarginRun:
    enqueue(runs.run_start(reason=RunReason.MANUAL))
    return newest_run()


def work_through(part_ids: list[int]) -> None:
    """Do parts and all that follows in this process, as the tasks do."""
    while part_ids:
        part = MarginRunPart.objects.get(pk=part_ids.pop(0))
        act = parts.stress if part.kind == PartKind.STRESS else parts.margin
        claim = parts.part_claim(part_id=part.pk, kind=PartKind(part.kind))
        if claim is not None:
            part_ids = act(claim=claim) or part_ids


def finished(run: MarginRun) -> bool:
    run.refresh_from_db()
    return run.state in (RunState.COMPLETED, RunState.FAILED)


def world_lacking_an_option(accounts: int) -> str:
    """Accounts of which some hold the option that the newest snapshot lacks; its name."""
    market = demo_market_document()
    books = [account.document for account in demo_accounts(market, accounts, SEED)]
    options = {row["id"] for row in market["instruments"] if row["kind"] == "option"}
    held = Counter(position["instrument"] for book in books for position in book["positions"])
    gone: str = next(name for name, _ in held.most_common() if name in options)
    world(market, AS_OF, [])
    rest = [row for row in market["instruments"] if row["id"] != gone]
    snapshot_accept(
        market=market | {"instruments": rest}, as_of=AS_OF + timedelta(seconds=5), source="tests", actor=ACTOR
    )
    accounts_load(tenant_id=Tenant.objects.get().pk, documents=books, actor=ACTOR, now=AS_OF)
    return gone


def test_a_run_by_workers_margins_every_account_as_a_book_document_would() -> None:
    market = demo_market_document()
    accounts = [account.document for account in demo_accounts(market, 60, SEED)]
    world(market, AS_OF, accounts)
    with start_worker(concurrency=2):
        run = start_run()
        wait_until(lambda: finished(run))
    assert run.state == RunState.COMPLETED, run.failure
    assert MarginResult.objects.filter(run=run).count() == len(accounts)
    by_code = {result.account.code: result for result in MarginResult.objects.select_related("account")}
    for document in accounts[::7]:
        account = {name: value for name, value in document.items() if name != "methodology"}
        book = {"as_of": AS_OF.isoformat(), "methodology": "okx-2025", "parameters": None}
        alone = margin_report({**book, "market": market, "account": account}, shipped_library())
        stored = msgspec.json.decode(report_bytes(result=by_code[document["id"]]))
        assert stored["risk_units"] == alone["risk_units"]
        assert {**stored["account"], "id": None} == {**alone["account"], "id": None}


def test_the_same_run_twice_ends_in_the_same_hash_with_or_without_stored_arrays() -> None:
    demo_world(40)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    first = newest_run()
    work_through(runs.run_start(reason=RunReason.MANUAL))
    arrays = MarginRunPart.objects.filter(kind=PartKind.STRESS).values("input_key")
    third_parts = runs.run_start(reason=RunReason.MANUAL)
    third = newest_run()
    MarginRunPart.objects.filter(run=third, kind=PartKind.STRESS).update(state=PartState.DONE)
    Blob.objects.filter(key__in=arrays).delete()
    assert third_parts
    work_through(runs.run_advance(run_id=third.pk))
    hashes = set(MarginRun.objects.values_list("result_sha256", flat=True))
    assert hashes == {first.result_sha256}
    assert len(first.result_sha256) == 64


def crash_world(count: int) -> None:
    """Generated accounts on the recorded crash chain, or on the demo market where the recording is absent."""
    if not CRASH_CHAIN.exists():
        demo_world(count)
        return
    with CRASH_CHAIN.open(newline="", encoding="utf-8") as lines:
        chain = read_chain(lines)
    accounts = [account.document for account in demo_accounts(chain.market, count, SEED)]
    world(chain.market, chain.as_of, accounts)


@pytest.mark.faults
def test_a_worker_killed_in_the_middle_of_a_crash_changes_time_and_not_the_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crash_world(200)
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 8)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    undisturbed = newest_run()
    with start_worker(["stress", "margin"]) as victim:
        run = start_run()
        wait_until(lambda: MarginRunPart.objects.filter(run=run, state=PartState.CLAIMED).exists())
        victim.signal_tree(signal.SIGKILL)
        victim.process.wait()
    assert not finished(run)
    # The lease of what the dead worker held ends now rather than in a minute.
    MarginRunPart.objects.filter(run=run, state=PartState.CLAIMED).update(lease_until=timezone.now())
    with start_worker(["stress", "margin"]):
        enqueue(parts.parts_sweep())
        wait_until(lambda: finished(run))
    assert run.state == RunState.COMPLETED, run.failure
    assert run.result_sha256 == undisturbed.result_sha256
    assert MarginResult.objects.filter(run=run).count() == run.accounts
    assert run.accounts == 200
    assert UnitResult.objects.filter(run=run, unit__in=["BTC", "ETH"]).exists()


def test_a_zombie_past_its_lease_writes_nothing() -> None:
    demo_world(20)
    runs.run_start(reason=RunReason.MANUAL)
    stress_everything()
    part = MarginRunPart.objects.get(kind=PartKind.MARGIN)
    zombie = parts.part_claim(part_id=part.pk, kind=PartKind.MARGIN)
    assert zombie is not None
    MarginRunPart.objects.filter(pk=part.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    heir = parts.part_claim(part_id=part.pk, kind=PartKind.MARGIN)
    assert heir is not None
    assert heir.fence == zombie.fence + 1
    with pytest.raises(StaleClaim):
        parts.margin(claim=zombie)
    assert not MarginResult.objects.exists()
    parts.margin(claim=heir)
    assert MarginResult.objects.count() == 20


def stress_everything() -> None:
    """Do all stress parts; the margin parts wait."""
    for part in MarginRunPart.objects.filter(kind=PartKind.STRESS):
        claim = parts.part_claim(part_id=part.pk, kind=PartKind.STRESS)
        assert claim is not None
        parts.stress(claim=claim)


def test_a_part_is_claimed_by_one_worker_and_duplicates_do_nothing() -> None:
    demo_world(10)
    first, *_ = runs.run_start(reason=RunReason.MANUAL)
    assert parts.part_claim(part_id=first, kind=PartKind.STRESS) is not None
    assert parts.part_claim(part_id=first, kind=PartKind.STRESS) is None
    assert parts.part_claim(part_id=first, kind=PartKind.MARGIN) is None


def test_a_part_out_of_attempts_is_quarantined_and_its_run_says_so() -> None:
    demo_world(10)
    part_id, *_ = runs.run_start(reason=RunReason.MANUAL)
    for _ in range(parts.MAX_ATTEMPTS):
        claim = parts.part_claim(part_id=part_id, kind=PartKind.STRESS)
        assert claim is not None
        parts.part_fail(claim=claim, failure="ValueError: broken")
    assert parts.part_claim(part_id=part_id, kind=PartKind.STRESS) is None
    parts.parts_sweep()
    part = MarginRunPart.objects.get(pk=part_id)
    run = newest_run()
    assert part.state == PartState.QUARANTINED
    assert run.state == RunState.FAILED
    assert "ValueError: broken" in run.failure


def test_the_hourly_run_starts_once_per_period() -> None:
    demo_world(5)
    hour = AS_OF.replace(minute=0)
    assert runs.run_start(reason=RunReason.HOURLY, period=hour)
    assert runs.run_start(reason=RunReason.HOURLY, period=hour) == []
    assert MarginRun.objects.count() == 1


def test_a_run_without_a_snapshot_is_refused() -> None:
    with pytest.raises(Refused, match="snapshot"):
        runs.run_start(reason=RunReason.MANUAL)


def test_results_and_snapshots_are_append_only() -> None:
    demo_world(5)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    for model in (MarginResult, UnitResult, MarketSnapshot, ParameterVersion):
        with pytest.raises(DatabaseError, match="append-only"):
            model.objects.all()._raw_delete("default")


def test_recalculate_shows_the_run_and_its_hash(capsys: pytest.CaptureFixture[str]) -> None:
    demo_world(12)
    with start_worker():
        call_command("recalculate")
    assert newest_run().result_sha256 in capsys.readouterr().out


def test_recalculate_margins_some_accounts_alone(capsys: pytest.CaptureFixture[str]) -> None:
    demo_world(3)
    first, second, third = Account.objects.order_by("pk").values_list("pk", flat=True)
    with pytest.raises(CommandError, match="recalculate --all first"):
        call_command("recalculate", "--account", first)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    for changed in (first, second):
        deposit = transfer("USDT", "5")
        transfer_record(account_id=changed, transfer=deposit, actor=ACTOR, now=timezone.now())
    with start_worker():
        call_command("recalculate", "--account", first, third)
    run = newest_run()
    assert (run.reason, run.accounts) == (RunReason.CHANGE, 1), "the third stands as it was margined"
    said = capsys.readouterr().out
    assert f"account {first}: " in said
    assert f"by run {run.pk}" in said
    assert f"account {second}: " not in said
    with pytest.raises(CommandError, match="--account: there is no account 0"):
        call_command("recalculate", "--account", 0)


def test_recalculate_tries_again_an_account_that_was_left_out_and_says_why_another_still_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = world_lacking_an_option(10)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    freed, *_, left = sorted(int(pk) for pk in newest_run().blocked)
    with account_changing(account_id=freed, kind=LedgerKind.FILL, actor=ACTOR, now=timezone.now()) as change:
        position_set(change=change, instrument=gone, quantity=Decimal(0), entry_price=Decimal(0))
    with start_worker(), pytest.raises(CommandError, match=f"^account {left}: .*{gone}") as refused:
        call_command("recalculate", "--account", freed, left)
    assert f"account {freed}" not in str(refused.value)
    assert f"account {freed}: " in capsys.readouterr().out


def test_load_snapshot_reads_a_book_document(tmp_path: Path) -> None:
    file = tmp_path / "market.json"
    file.write_text(json.dumps({"as_of": AS_OF.isoformat(), "market": demo_market_document()}))
    call_command("load_snapshot", str(file))
    file.write_text(json.dumps({"as_of": "2025-01-30T00:00:00Z", "market": demo_market_document()}))
    with pytest.raises(CommandError, match="older than the last snapshot"):
        call_command("load_snapshot", str(file))


def test_an_account_that_cannot_be_margined_is_named_with_its_reason_and_stops_nobody() -> None:
    gone = world_lacking_an_option(10)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    run = newest_run()
    holders = set(Position.objects.filter(instrument__code=gone).values_list("account_id", flat=True))
    assert {int(account) for account in run.blocked} >= holders
    assert all(gone in run.blocked[str(account)] for account in holders)
    assert run.state == RunState.COMPLETED
    assert MarginResult.objects.filter(run=run).count() == 10 - len(run.blocked)


def test_an_account_below_the_minimum_is_margined_by_standard_beside_the_others() -> None:
    demo_world(4)
    account = Account.objects.earliest("id")
    Account.objects.filter(pk=account.pk).update(margin_methodology="standard")
    work_through(runs.run_start(reason=RunReason.MANUAL))
    stored = MarginResult.objects.get(run=newest_run(), account=account)
    report = msgspec.json.decode(report_bytes(result=stored))
    assert report["methodology"] == "standard"
    assert report["risk_units"]
    assert all(unit["scenarios"] is None for unit in report["risk_units"])
    assert MarginResult.objects.filter(run=newest_run()).count() == 4


def test_accounts_of_a_methodology_that_is_not_offered_wait_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cutting, "OFFERED", ("okx-2025",))
    demo_world(4)
    account = Account.objects.earliest("id")
    Account.objects.filter(pk=account.pk).update(margin_methodology="standard")
    work_through(runs.run_start(reason=RunReason.MANUAL))
    assert newest_run().blocked == {str(account.pk): "standard is not offered yet"}


def test_passing_runs_are_forgotten_and_every_account_keeps_its_newest_result() -> None:
    demo_world(6)
    for _ in range(4):
        work_through(runs.run_start(reason=RunReason.SNAPSHOT))
    Blob.objects.update(last_used_at=timezone.now() - timedelta(hours=1))
    assert runs_prune(keep=1) == 3
    newest = newest_run()
    assert set(MarginResult.objects.values_list("run_id", flat=True)) == {newest.pk}
    assert set(UnitResult.objects.values_list("run_id", flat=True)) == {newest.pk}
    assert MarginRun.objects.exclude(result_sha256="").count() == 4
    named = set(MarginRunPart.objects.values_list("input_key", flat=True))
    assert set(Blob.objects.values_list("key", flat=True)) == named
    assert runs_prune(keep=0) == 0


def test_parameters_import_loads_the_shipped_histories_once(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("parameters", "import")
    call_command("parameters", "import")
    assert capsys.readouterr().out.split("\n")[:2] == ["10 versions loaded", "0 versions loaded"]


def test_parameters_import_names_the_place_of_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({"versions": [{"methodology": "standard", "version": 1}]}))
    with pytest.raises(CommandError, match=r"versions\[0\]\.version: must be a non-empty string"):
        call_command("parameters", "import", str(file))
