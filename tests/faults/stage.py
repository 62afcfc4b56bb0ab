"""What the faults are done to: a run over many accounts, and liquidation cases, each with a twin unharmed.

The twins tell what has to come out. The run was done once before by the test itself, over the same book, and
its hash must come out again; each distressed account has a twin of equal holdings, whose case the test has
worked off before the faults begin.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import Account
from accounts.selectors import balance_rows, position_rows
from accounts.verification import ledger_mismatches
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.paper import PaperPort
from liquidation.models import LiquidationCase
from liquidation.services.cases import case_open
from liquidation.services.work import case_work
from margin.choices import PartState, RunReason, RunState
from margin.models import Blob, MarginResult, MarginRun, MarginRunPart
from margin.services import runs
from pmplatform.common.chain import chain_faults
from pmplatform.common.locking import lock_timeout
from pmplatform.common.models import OutboxRow
from pmplatform.common.models.outbox import OutboxState
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket
from pmplatform.invariants.view import violations
from tests.margin.test_runs import work_through
from tests.margin.world import SEED, newest_run, world
from tests.support.waiting import PATIENCE_SECONDS

ACCOUNTS: Final = 24
SWAP: Final = "BTC-USDT-SWAP"
#: Equity of the distressed accounts, as a share of their notional; shorts are negative.
DISTRESSED: Final = (0.07, 0.05, -0.06)
NOTIONAL: Final = 100_000.0


@dataclass(frozen=True)
class Stage:
    """A started run whose parts wait, and open cases by the id of their account, with the twins' ids."""

    run: MarginRun
    parts: list[int]
    result_sha256: str
    twins: dict[int, int]

    def is_over(self) -> bool:
        self.run.refresh_from_db()
        open_cases = LiquidationCase.objects.exclude(state=CaseState.CLOSED)
        pending = OutboxRow.objects.filter(state=OutboxState.PENDING)
        return self.run.state in RunState.ended() and not open_cases.exists() and not pending.exists()

    def is_under_way(self) -> bool:
        """Whether somebody has begun."""
        return MarginRunPart.objects.filter(run=self.run).exclude(state=PartState.PENDING).exists()

    def announce(self) -> None:
        """Have relay and workers begin."""
        runs.runs_announce(part_ids=self.parts)

    def assert_as_if_nothing_had_happened(self) -> None:
        """Steps are effects, the hash is that of the undisturbed run, and every invariant holds."""
        assert self.run.state == RunState.COMPLETED, self.run.failure
        assert self.run.result_sha256 == self.result_sha256
        assert MarginResult.objects.filter(run=self.run).count() == self.run.accounts
        for account, twin in self.twins.items():
            assert done(account) == done(twin)
            assert holdings(account) == holdings(twin)
        assert violations() == []
        assert list(ledger_mismatches()) == []
        assert list(chain_faults()) == []


def stage(accounts: int = ACCOUNTS) -> Stage:
    """Build the world of now, do all of it once, and leave it to be done again."""
    market = DemoMarket(SEED, timezone.now())
    document = market.document()
    books = [account.document for account in demo_accounts(document, accounts, SEED)]
    books += [book for share in DISTRESSED for book in twin_books(document, share)]
    world(document, market.as_of, books)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    undisturbed = newest_run()
    parts = runs.run_start(reason=RunReason.MANUAL)
    twins = work_off_twins()
    return _set(undisturbed, parts, twins)


def stage_again() -> Stage:
    """The same world after its end, to be margined once more; its cases are closed."""
    work_through(runs.run_start(reason=RunReason.MANUAL))
    undisturbed = newest_run()
    return _set(undisturbed, runs.run_start(reason=RunReason.MANUAL), {})


def _set(undisturbed: MarginRun, parts: list[int], twins: dict[int, int]) -> Stage:
    # Otherwise the arrays of the first run would do for the second.
    Blob.objects.filter(key__in=undisturbed.parts.filter(kind="stress").values("input_key")).delete()
    return Stage(newest_run(), parts, undisturbed.result_sha256, twins)


def twin_books(document: dict[str, Any], share: float) -> list[dict[str, Any]]:
    """Two accounts of equal holdings whose equity is too small a share of their notional."""
    [swap] = [row for row in document["instruments"] if row["id"] == SWAP]
    contracts = round(NOTIONAL / (swap["mark"] * swap["contract_size"]))
    held = {
        "instrument": SWAP,
        "quantity": str(contracts if share > 0 else -contracts),
        "entry_price": swap["mark"],
    }
    account = {
        "methodology": "okx-2025",
        "balances": {"USDT": f"{abs(share) * NOTIONAL:.2f}"},
        "positions": [held],
        "orders": [],
    }
    return [{"id": f"{name}{share}", **account} for name in ("TWIN", "CASE")]


def work_off_twins() -> dict[int, int]:
    """Work off the twins' cases, then open the others; returns twin by account."""
    twins = Account.objects.filter(code__startswith="TWIN")
    open_cases(twins.values_list("pk", flat=True))
    while case_work(port=PaperPort(), clock=timezone.now):
        pass
    assert set(LiquidationCase.objects.values_list("outcome", flat=True)) == {CaseOutcome.SAFE}
    pairs = {Account.objects.get(code=twin.code.replace("TWIN", "CASE")).pk: twin.pk for twin in twins}
    open_cases(pairs)
    return pairs


def open_cases(account_ids: Any) -> None:
    for account_id in account_ids:
        assert case_open(account_id=account_id, evidence={}, now=timezone.now()) is not None


def done(account_id: int) -> list[tuple[Any, ...]]:
    """What the steps of an account's case have done, in their order."""
    case = LiquidationCase.objects.get(account_id=account_id)
    assert case.steps_done == case.steps.count() >= 1
    return list(
        case.steps.order_by("number").values_list("number", "kind", "trades", "conversions", "effects")
    )


def holdings(account_id: int) -> list[tuple[Any, ...]]:
    """Cash and positions."""
    rows = [*balance_rows([account_id]), *position_rows([account_id])]
    return [tuple(row[1:]) for row in rows]


def a_minute_passes() -> None:
    """Let the leases of whoever was lost end now."""
    now = timezone.now()
    with transaction.atomic(), lock_timeout(int(PATIENCE_SECONDS * 1_000)):
        MarginRunPart.objects.filter(state=PartState.CLAIMED).update(lease_until=now)
        LiquidationCase.objects.filter(lease_until__isnull=False).update(lease_until=now, due_at=now)


def wait_until(
    condition: Callable[[], bool], meanwhile: Callable[[], None] | None = None, every: float = 0.5
) -> None:
    """Wait, doing something every so many seconds; the connection may break and come again."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    next_time = time.monotonic()
    while not holds(condition):
        assert time.monotonic() < deadline, "nothing happened in time"
        if meanwhile is not None and time.monotonic() >= next_time:
            meanwhile()
            next_time = time.monotonic() + every
        time.sleep(0.05)


def holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except DatabaseError:
        connection.close()
        return False
