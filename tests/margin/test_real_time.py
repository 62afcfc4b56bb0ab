"""From a change to its margin, by relay, broker and workers of their own, and what may befall them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from accounts.models import Account, Fill
from accounts.verification import ledger_mismatches
from margin import selectors
from margin.choices import RunReason, RunState
from margin.models import MarginResult, MarginRun
from margin.services.books import stored_book
from margin.services.fills import fill_record
from margin.services.runs import run_start
from margin.tasks import sweep_accounts
from pmplatform.common.errors import LockTimeout
from pmplatform.common.models import OutboxRow
from pmplatform.common.models.outbox import OutboxState
from pmplatform.common.tokens import Scope
from tests.margin.desks import ACTOR, SWAP, account_of, fill
from tests.margin.test_api import _client
from tests.margin.test_runs import wait_until, work_through
from tests.support.processes import CHECKOUT, child_environment, live_server, start_relay, start_worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.serial]

WRITERS = 50


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


def ask(url: str, body: Any = None) -> Any:
    """What a server answers to a GET or, with a body, a POST with the platform's token."""
    token = _client(None, Scope.READ, Scope.TRADE, Scope.RISK).defaults["HTTP_AUTHORIZATION"]
    headers = {"Authorization": token, "Content-Type": "application/json", "Idempotency-Key": "once"}
    server = HTTPConnection(urlsplit(url).netloc, timeout=30)
    with closing(server):
        data = None if body is None else msgspec.json.encode(body)
        server.request("GET" if data is None else "POST", urlsplit(url).path, data, headers)
        answer = server.getresponse()
        text = answer.read()
        assert answer.status < HTTPStatus.BAD_REQUEST, text
        return msgspec.json.decode(text)


def is_current(account_id: int) -> bool:
    """Whether the newest result shows the account as it is."""
    newest = selectors.result_latest(account_id)
    assert newest is not None
    return newest.ledger_position == Account.objects.get(pk=account_id).ledger_position


def everything_agrees(account_id: int) -> bool:
    """Ledger, state, and the margin of that state."""
    newest = selectors.result_latest(account_id)
    assert newest is not None
    held = stored_book(account_id=account_id)[0].account_rows
    margined = msgspec.json.decode(bytes(newest.report))["account"]
    return not list(ledger_mismatches()) and is_current(account_id) and held.id == margined["id"]


def test_a_change_over_the_api_is_margined_at_once_and_read_over_the_api(
    account_id: int, at_work: None
) -> None:
    trade = {"instrument": SWAP, "side": "buy", "quantity": "90", "price": "100000"}
    with live_server(extra={"PM_PLAIN_HTTP": "1"}) as url:
        account = f"{url}/api/v1/accounts/{account_id}"
        before = ask(f"{account}/margin")["account"]["mmr"]
        ask(f"{account}/fills", {**trade, "fee": "0", "fee_currency": "USDT"})
        wait_until(lambda: ask(f"{account}/margin")["account"]["mmr"] > 5 * before)


def test_fifty_concurrent_fills_end_in_one_margin_of_all_of_them(account_id: int, at_work: None) -> None:
    def report(number: int) -> None:
        try:
            buy(account_id, number)
        finally:
            connection.close()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(report, range(WRITERS)))
    wait_until(lambda: is_current(account_id))
    assert Fill.objects.count() == WRITERS
    assert everything_agrees(account_id)
    # Many changes took one task: fewer results than fills, and each of another state.
    changes = MarginResult.objects.filter(run__reason=RunReason.CHANGE)
    assert 1 <= changes.count() <= WRITERS


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
    with live_server(extra={"PM_PLAIN_HTTP": "1"}) as url, start_relay(), start_worker():
        started = ask(f"{url}/api/v1/runs", {})
        wait_until(lambda: MarginRun.objects.get(pk=started["id"]).state == RunState.COMPLETED)
