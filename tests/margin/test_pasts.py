"""What once was: margin at any past instant, the history of results, and results proven from their inputs."""

from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.choices import LedgerKind
from accounts.documents import HedgeLimitDocument
from accounts.models import Account, LedgerEntry, Tenant
from accounts.pasts import ledger_position_at
from accounts.services.accounts import hedge_limits_set
from accounts.services.changes import account_changing
from accounts.services.orders import order_place
from margin import selectors
from margin.choices import RunReason
from margin.models import Blob, MarginResult
from margin.services.changes import accounts_remargin
from margin.services.fills import fill_record
from margin.services.market import snapshot_accept
from margin.services.pasts import account_input_at, result_differences
from margin.services.reading import account_inputs
from margin.services.reports import report_bytes
from margin.services.runs import run_start
from margin.services.transfers import transfer_record
from pmplatform.common.errors import NotFound, Refused
from tests.margin.desks import ACTOR, AS_OF, CALL, SWAP, account_of, fill, market, order, transfer
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


def run_everything() -> None:
    work_through(run_start(reason=RunReason.SNAPSHOT))


def a_day_of_changes() -> list[int]:
    """An account changed in every way, minute by minute; the ledger position after each."""
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "99000")], [(CALL, "buy", "5", "0.02")])
    positions = []
    for minute in range(1, 5):
        now = AS_OF + minute * MINUTE
        match minute:
            case 1:
                fill_record(
                    account_id=account_id, fill=fill(SWAP, "sell", "10", "100500"), actor=ACTOR, now=now
                )
            case 2:
                transfer_record(account_id=account_id, transfer=transfer("BTC", "1.5"), actor=ACTOR, now=now)
            case _:
                with account_changing(
                    account_id=account_id, kind=LedgerKind.SETTING, actor=ACTOR, now=now
                ) as change:
                    order_place(change=change, order=order(SWAP, "sell", "3", "101000"), client_id="")
                    limit = HedgeLimitDocument(ratio=Decimal("0.25"), max_amount=Decimal(minute))
                    hedge_limits_set(change=change, limits={"BTC": limit})
        positions.append(Account.objects.get().ledger_position)
    return positions


def test_the_ledger_up_to_now_is_what_margin_reads_of_every_account() -> None:
    demo_world(40)
    for now in account_inputs(list(Account.objects.values_list("pk", flat=True))):
        past = account_input_at(account_id=now.id, position=now.ledger_position)
        assert past == now


def test_every_state_that_an_account_had_is_found_again_at_its_time() -> None:
    positions = a_day_of_changes()
    account_id = Account.objects.get().pk
    [now] = account_inputs([account_id])
    assert account_input_at(account_id=account_id, position=positions[-1]) == now
    for minute, position in enumerate(positions, start=1):
        at = AS_OF + minute * MINUTE
        assert ledger_position_at(account_id=account_id, at=at) == position
        assert ledger_position_at(account_id=account_id, at=at + MINUTE / 2) == position
    closed = account_input_at(account_id=account_id, position=positions[0])
    assert closed.positions == []
    assert len(closed.orders) == 1
    before = ledger_position_at(account_id=account_id, at=AS_OF - MINUTE)
    with pytest.raises(NotFound):
        account_input_at(account_id=account_id, position=before)


def _get(account: Account, route: str, tenant: Tenant | None = None, **query: Any) -> Any:
    return _client(tenant or account.tenant).get(f"/api/v1/accounts/{account.pk}/{route}", query)


def test_margin_as_of_an_instant_is_what_was_stored_then_byte_for_byte() -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "99000")])
    account, stored = Account.objects.get(), []
    run_everything()
    for minute in (1, 2, 3):
        now = AS_OF + minute * MINUTE
        if minute == 2:
            moved = market({"BTC-USD": 98_000.0, "BTC-USDT": 98_000.0})
            snapshot_accept(market=moved, as_of=now, source="tests", actor=ACTOR)
            run_everything()
        fill_record(account_id=account_id, fill=fill(SWAP, "buy", "7", "99500"), actor=ACTOR, now=now)
        accounts_remargin(account_ids=[account_id])
        newest = selectors.result_latest(account_id)
        assert newest is not None
        stored.append((now, report_bytes(result=newest)))
    Blob.objects.all().delete()
    for at, report in stored:
        answer = _get(account, "as-of", at=at.isoformat())
        assert (answer.status_code, answer.content) == (HTTPStatus.OK, report)


def test_before_the_account_or_the_market_there_is_no_margin_and_none_in_the_future() -> None:
    account_of({"USDT": "100000"})
    account = Account.objects.get()
    assert _get(account, "as-of", at="2020-01-01T00:00:00Z").status_code == HTTPStatus.NOT_FOUND
    for moment in ("2999-01-01T00:00:00Z", "noon", ""):
        refused = _get(account, "as-of", at=moment)
        assert refused.status_code == HTTPStatus.BAD_REQUEST
        assert [error["path"] for error in refused.json()["errors"]] == ["at"]


def test_the_history_lists_results_newest_first_with_what_each_was_made_of() -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "99000")])
    account = Account.objects.get()
    run_everything()
    fill_record(account_id=account_id, fill=fill(SWAP, "buy", "7", "99500"), actor=ACTOR, now=AS_OF)
    accounts_remargin(account_ids=[account_id])
    changed, first = _get(account, "history").json()["results"]
    assert [first["reason"], changed["reason"]] == ["snapshot", "change"]
    assert changed["ledger_position"] > first["ledger_position"]
    stored = MarginResult.objects.get(pk=changed["id"])
    assert Decimal(changed["mmr"]) == stored.mmr
    assert changed["input_sha256"] == stored.input_sha256


@pytest.mark.parametrize("route", ["history", "as-of"])
def test_nobody_else_reads_the_past(route: str) -> None:
    account_of({"USDT": "100000"})
    account, other = Account.objects.get(), Tenant.objects.create(slug="other", name="Other")
    assert _get(account, route, other, at=AS_OF.isoformat()).status_code == HTTPStatus.NOT_FOUND


def test_the_routes_are_in_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    for route in ("history", "as-of"):
        assert f"/api/v1/accounts/{{account_id}}/{route}:" in file.read_text()


@pytest.fixture
def result() -> MarginResult:
    """A result with risk units, of a run over accounts of every kind."""
    demo_world(12)
    run_everything()
    results = MarginResult.objects.select_related("run").order_by("-mmr")
    return next(iter(results))


def test_every_result_of_a_run_is_proven_without_what_is_only_kept_to_be_fast(result: MarginResult) -> None:
    Blob.objects.all().delete()
    for row in MarginResult.objects.filter(run=result.run):
        assert result_differences(result_id=row.pk) == []


def plant(statement: str, *values: Any) -> None:
    """Change what the database refuses to change."""
    with connection.cursor() as cursor:
        tables = ("margin_marginresult", "margin_marginreport", "margin_unitresult")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only")
        cursor.execute(statement, values)
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_append_only")


def test_verify_margin_passes_what_is_right(result: MarginResult, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_margin", str(result.pk))
    assert "byte for byte" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        ("UPDATE margin_marginresult SET mmr = mmr + 0.00000001 WHERE id = %s", "mmr"),
        ("UPDATE margin_marginresult SET standard_imr = 1 WHERE id = %s", "standard_imr"),
        (
            "UPDATE margin_marginreport SET content = convert_to(replace(convert_from(content, 'UTF8'),"
            " '\"status\":\"', '\"status\":\"un'), 'UTF8') FROM margin_marginresult r"
            " WHERE r.id = %s AND margin_marginreport.account_id = r.account_id",
            "report.account.status",
        ),
        (
            "UPDATE margin_marginreport SET content = content || convert_to(' ', 'UTF8')"
            " FROM margin_marginresult r WHERE r.id = %s AND margin_marginreport.account_id = r.account_id",
            "report_sha256",
        ),
        (
            "UPDATE margin_unitresult SET delta = delta + 1 FROM margin_marginresult r"
            " WHERE r.id = %s AND margin_unitresult.account_id = r.account_id AND unit = 'BTC'",
            "risk_units.BTC.delta",
        ),
    ],
)
def test_verify_margin_names_what_was_changed(result: MarginResult, statement: str, path: str) -> None:
    report_bytes(result=result)
    plant(statement, result.pk)
    told = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("verify_margin", str(result.pk), stderr=told)
    assert refusal.value.returncode == 1
    assert path in [line.partition(":")[0] for line in told.getvalue().splitlines()]


def test_verify_margin_needs_a_result_and_the_engine_that_made_it(result: MarginResult) -> None:
    with pytest.raises(CommandError) as unknown:
        call_command("verify_margin", str(result.pk + 1_000_000))
    assert unknown.value.returncode == 2
    result.run.engine = "0.9"
    result.run.save(update_fields=["engine"])
    with pytest.raises(Refused, match=r"0\.9"):
        result_differences(result_id=result.pk)


def test_the_past_is_told_by_the_ledger_alone(result: MarginResult) -> None:
    entries = LedgerEntry.objects.filter(account_id=result.account_id)
    assert entries.filter(pk__lte=result.ledger_position).count() == entries.count()
