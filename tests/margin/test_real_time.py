"""From a change to its margin, by relay, broker and workers of their own, and what may befall them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from http import HTTPStatus

import pytest
from django.utils import timezone
from redis import Redis

from accounts.models import Account, Fill
from accounts.verification import ledger_mismatches
from margin import selectors
from margin.choices import RunReason, RunState
from margin.models import MarginResult, MarginRun
from margin.services.fills import fill_record
from margin.services.pasts import result_differences
from margin.services.runs import run_start
from margin.tasks import enqueue_changes, sweep_accounts
from pmplatform.common.errors import LockTimeout
from pmplatform.common.models import OutboxRow
from pmplatform.common.models.outbox import OutboxState
from pmplatform.common.tokens import Scope
from pmplatform.invariants.view import violations
from tests.margin.desks import ACTOR, SWAP, account_of, cash, fill, positions
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world
from tests.support.calls import PLAIN_HTTP, Caller
from tests.support.processes import CHECKOUT, child_environment, live_server, start_relay, start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 50
TRADE = {
    "instrument": SWAP,
    "side": "buy",
    "quantity": "1",
    "price": "100000",
    "fee": "0",
    "fee_currency": "USDT",
}


@pytest.fixture
def account_id() -> int:
    """An account that a run has margined, and that told the outbox so."""
    account_id = account_of({"USDT": "1000000"}, [(SWAP, "10", "99000")])
    work_through(run_start(reason=RunReason.SNAPSHOT))
    return account_id


@pytest.fixture
def at_work() -> Iterator[None]:
    with start_relay(), start_worker(["margin", "housekeeping"]):
        yield


@contextmanager
def caller() -> Iterator[Caller]:
    """The platform's token at a live server."""
    with live_server(extra=PLAIN_HTTP) as url:
        yield Caller.with_scopes(url, Scope.READ, Scope.TRADE, Scope.RISK)


def buy(account_id: int, number: int) -> None:
    """Record a fill, again where the account is busy, as a client would."""
    while True:
        try:
            fill_record(
                account_id=account_id,
                fill=fill(SWAP, "buy", "1", "100000", client_id=f"t-{number}"),
                actor=ACTOR,
                now=timezone.now(),
            )
        except LockTimeout:
            continue
        return


def is_current(account_id: int) -> bool:
    """Whether the newest result shows the account as it is."""
    newest = selectors.result_latest(account_id)
    assert newest is not None
    return newest.ledger_position == Account.objects.get(pk=account_id).ledger_position


def everything_agrees(account_id: int) -> bool:
    """Ledger, state, and the margin of that state, computed again from the ledger alone; every invariant."""
    newest = selectors.result_latest(account_id)
    assert newest is not None
    assert result_differences(result_id=newest.pk) == []
    assert violations() == []
    return not list(ledger_mismatches()) and is_current(account_id)


def test_a_change_over_the_api_is_margined_at_once_and_read_over_the_api(
    account_id: int, at_work: None
) -> None:
    with caller() as platform:
        before = platform.get(f"accounts/{account_id}/margin")["account"]["mmr"]
        answer = platform.post(f"accounts/{account_id}/fills", {**TRADE, "quantity": "90"})
        assert answer.status == HTTPStatus.CREATED
        wait_until(lambda: platform.get(f"accounts/{account_id}/margin")["account"]["mmr"] > 5 * before)


def fill_over_api(platform: Caller, account_id: int, number: int) -> None:
    """Report a fill of its own price, again under the same key where the account is busy."""
    body = {**TRADE, "price": str(100_000 + number), "fee": "0.1", "client_id": f"t-{number}"}
    while True:
        answer = platform.post(f"accounts/{account_id}/fills", body, key=f"k-{number}")
        if answer.status == HTTPStatus.CREATED:
            return
        assert answer.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.CONFLICT), answer
        time.sleep(float(answer.headers["Retry-After"]))


def test_fifty_concurrent_fills_over_the_api_end_in_one_margin_of_all_of_them(
    account_id: int, at_work: None
) -> None:
    with caller() as platform, ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda number: fill_over_api(platform, account_id, number), range(WRITERS)))
        wait_until(lambda: is_current(account_id))
        shown = platform.get(f"accounts/{account_id}/margin")["account"]
    assert Fill.objects.count() == WRITERS
    # 10 at 99,000 and one each at 100,000 to 100,049; fees of 0.1 USDT.
    quantity, entry = positions(account_id)[SWAP]
    average = Decimal(10 * 99_000 + sum(range(100_000, 100_000 + WRITERS))) / (10 + WRITERS)
    assert quantity == 10 + WRITERS
    assert entry == pytest.approx(average, abs=Decimal("1e-12"))
    assert cash(account_id) == {"USDT": Decimal(1_000_000) - WRITERS * Decimal("0.1")}
    gain = 60 * Decimal("0.01") * (100_000 - average)
    assert shown["net_equity"] == pytest.approx(float(cash(account_id)["USDT"] + gain), abs=1e-6)
    assert everything_agrees(account_id)
    # Many changes took one task: fewer results than fills, and each of another state.
    changes = MarginResult.objects.filter(run__reason=RunReason.CHANGE)
    assert 1 <= changes.count() <= WRITERS


def test_changes_that_have_piled_up_are_margined_together() -> None:
    demo_world(3)
    work_through(run_start(reason=RunReason.SNAPSHOT))
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    for number, account in enumerate(accounts):
        buy(account, number)
        # A message of its own for each, as the relay sends them while no worker is free.
        enqueue_changes([account])
    with start_worker(["margin"]):
        wait_until(lambda: all(map(is_current, accounts)))
    changes = MarginRun.objects.filter(reason=RunReason.CHANGE)
    assert list(changes.values_list("accounts", flat=True)) == [len(accounts)]


@pytest.mark.faults
def test_losing_all_of_redis_again_and_again_costs_time_only(account_id: int, at_work: None) -> None:
    with Redis.from_url(os.environ["REDIS_URL"]) as broker:
        for number in range(10):
            buy(account_id, number)
            broker.flushall()
        wait_until(lambda: not OutboxRow.objects.filter(state=OutboxState.PENDING).exists())
        broker.flushall()
    # What the beat does every ten seconds.
    sweep_accounts.delay()
    wait_until(lambda: is_current(account_id))
    assert everything_agrees(account_id)


@pytest.mark.faults
def test_a_relay_killed_between_publishing_and_marking_publishes_again_and_no_harm_is_done(
    account_id: int,
) -> None:
    buy(account_id, 1)
    died = subprocess.run(
        [sys.executable, "-m", "tests.margin.dying_relay"],
        cwd=CHECKOUT,
        env=child_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (died.returncode, died.stdout) == (-signal.SIGKILL, "published\n")
    assert OutboxRow.objects.filter(topic="account.changed", state=OutboxState.PENDING).exists()
    with start_worker(["margin", "housekeeping"]):
        wait_until(lambda: is_current(account_id))
        with start_relay():
            wait_until(lambda: not OutboxRow.objects.filter(state=OutboxState.PENDING).exists())
            buy(account_id, 2)
            wait_until(lambda: is_current(account_id))
    assert MarginRun.objects.filter(reason=RunReason.CHANGE).count() == 2
    assert everything_agrees(account_id)


def test_a_run_that_a_request_starts_is_announced_by_the_relay(account_id: int) -> None:
    with caller() as platform, start_relay(), start_worker():
        started = platform.post("runs", {})
        wait_until(lambda: MarginRun.objects.get(pk=started.body["id"]).state == RunState.COMPLETED)
