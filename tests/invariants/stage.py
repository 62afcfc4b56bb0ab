"""A consistent little world with something of all that the invariants speak of, and how to spoil it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from accounts.models import Account, Fill, Instrument
from liquidation.choices import StepState
from liquidation.models import (
    LiquidationCase,
    LiquidationFill,
    LiquidationOrder,
    LiquidationStep,
)
from liquidation.services.cases import WORKER, case_tell
from margin.choices import PartKind, RunReason, RunState
from margin.engine.hashing import canonical_json, sha256_of
from margin.engine.report import ENGINE_VERSION
from margin.models import (
    MarginReport,
    MarginResult,
    MarginRun,
    MarginRunPart,
    MarketSnapshot,
    ParameterVersion,
    UnitResult,
)
from pmplatform.common.principals import Actor
from tests.margin.desks import SWAP, account_of

ACTOR: Final = Actor(name="user:risk", request_id="r-1")
INPUTS: Final = "1" * 64
REPORT: Final = {
    "account": {"status": "liquidation", "mmr": 80.0, "adjusted_equity": 70.0},
    "input_sha256": INPUTS,
}
PART: Final = ("okx-2025/0000", "2" * 64)


def world_stage() -> None:
    """One account, a completed run over it, and a liquidation case with a done step, its order and fill."""
    account = Account.objects.get(pk=account_of({"USDT": "1000"}, [(SWAP, "10", "99000")]))
    snapshot = MarketSnapshot.objects.get()
    version = ParameterVersion.objects.get(methodology=account.methodology, version="2025-01-21")
    run = _run(account, snapshot, version)
    _step(_case(account, run), snapshot, version)


def _run(account: Account, snapshot: MarketSnapshot, version: ParameterVersion) -> MarginRun:
    run = MarginRun.objects.create(
        snapshot=snapshot,
        engine=ENGINE_VERSION,
        ledger_position=account.ledger_position,
        reason=RunReason.HOURLY,
        period=snapshot.as_of,
        state=RunState.COMPLETED,
        accounts=1,
        finished_at=timezone.now(),
        result_sha256=sha256_of([PART]),
    )
    part = MarginRunPart.objects.create(
        run=run,
        kind=PartKind.MARGIN,
        name=PART[0],
        result_sha256=PART[1],
        parameters=version,
        input_key="0" * 64,
        state="done",
    )
    figures = {"mmr": 80, "imr": 100}
    MarginResult.objects.create(
        run=run,
        account=account,
        part=part,
        snapshot=snapshot,
        ledger_position=account.ledger_position,
        status="liquidation",
        net_equity=70,
        adjusted_equity=70,
        margin_ratio=0.875,
        input_sha256=INPUTS,
        **figures,
    )
    MarginReport.objects.create(run=run, account=account, content=canonical_json(REPORT))
    UnitResult.objects.create(
        run=run,
        account=account,
        unit="BTC",
        binding="positions",
        spot_in_use=0,
        delta=0.1,
        cash_delta=10_000,
        **figures,
    )
    return run


def _case(account: Account, run: MarginRun) -> LiquidationCase:
    case = LiquidationCase.objects.create(
        account=account,
        trigger="liquidation",
        deficit_usd=18,
        evidence={"run": run.pk},
        opened_at_position=account.ledger_position,
        steps_done=1,
    )
    case_tell(case, actor=WORKER, action="step", before="working")
    return case


def _step(case: LiquidationCase, snapshot: MarketSnapshot, version: ParameterVersion) -> None:
    at = snapshot.as_of + timedelta(seconds=5)
    step = LiquidationStep.objects.create(
        case=case,
        number=1,
        state=StepState.DONE,
        kind="close",
        unit="BTC",
        component="mr1",
        reason="the largest loss",
        cost_usd=0,
        trades=[{"instrument": SWAP, "side": "sell", "quantity": "2", "price": "100000"}],
        conversions=[],
        cancelled=0,
        before={"deficit": 18.0},
        after={"deficit": 2.0},
        reached={"deficit": 2.0},
        underlyings=["BTC"],
        snapshot=snapshot,
        parameters=version.version,
        parameters_sha256=version.sha256,
        engine=ENGINE_VERSION,
        input_sha256="2" * 64,
        fence=1,
        max_age=120,
        at=at,
        done_at=at,
    )
    instrument = Instrument.objects.get(code=SWAP)
    trade = {"instrument": instrument, "side": "sell", "quantity": 2}
    order = LiquidationOrder.objects.create(
        step=step, leg=0, refusals=0, key="3" * 64, mark=100_000, limit_price=99_000, expected_fee=0,
        fee_currency="USDT", status="filled", ended_at=at, **trade,
    )  # fmt: skip
    fill = Fill.objects.create(
        account=case.account, client_id="f-1", price=100_000, fee=0, fee_currency="USDT", **trade
    )
    LiquidationFill.objects.create(order=order, fill=fill, venue_id="v-1")


@transaction.atomic
def guards_drop(tables: Sequence[str]) -> None:
    """Take constraints, unique indexes and triggers off tables, as if nobody had thought of them."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(
            "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I CASCADE', conrelid::regclass, conname)"
            " FROM pg_constraint WHERE contype IN ('c', 'u', 'f') AND conrelid::regclass::text = ANY(%s)"
            " UNION ALL SELECT format('DROP INDEX %%s', indexrelid::regclass) FROM pg_index i"
            " WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text = ANY(%s)"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
            " UNION ALL SELECT format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass) FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)",
            [list(tables)] * 3,
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)


def spoil(*statements: str) -> None:
    """Run statements as whoever owns the tables might."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def rows_copy(table: str, changes: Mapping[str, str]) -> None:
    """Insert the rows of a table again, under new ids and with some columns changed, as SQL says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall()]
        values = [sql.SQL(changes[name]) if name in changes else sql.Identifier(name) for name in columns]
        statement = sql.SQL("INSERT INTO {0} ({1}) SELECT {2} FROM {0}").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, columns)),
            sql.SQL(", ").join(values),
        )
        cursor.execute(statement)
