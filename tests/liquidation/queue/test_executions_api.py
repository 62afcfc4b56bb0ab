"""A venue that tells of executions by itself: believed by its signature, booked once by their names."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Position
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.webhook import WebhookPort
from liquidation.models import LiquidationCase, LiquidationFill, LiquidationOrder
from pmplatform.common.models import OutboxRow
from pmplatform.common.signing import signature_headers
from pmplatform.common.tokens import Scope
from tests.accounts.test_access_api import client_of
from tests.liquidation.queue import support
from tests.liquidation.queue.support import case_of, clock, directional, worked
from tests.liquidation.queue.venues import SECRET, check_effects_equal_steps
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/liquidation/executions"
NOWHERE = WebhookPort("http://127.0.0.1:9/orders", SECRET)


@pytest.fixture(autouse=True)
def the_secret(settings: Settings) -> None:
    settings.PM_EXECUTION_SECRET = SECRET


@pytest.fixture
def order() -> LiquidationOrder:
    """An order of three contracts that was sent, and whose fate nobody knows."""
    case_of(directional())
    support.step_act(claim=support.claimed(), port=NOWHERE, clock=clock())
    worked(70, NOWHERE)
    sent = LiquidationOrder.objects.get()
    assert (sent.status, sent.quantity) == ("sent", 3)
    return sent


def told(order: LiquidationOrder, status: str, **fills: str) -> dict[str, Any]:
    terms = {"price": str(order.limit_price), "fee": "1", "fee_currency": "USDT"}
    rows = [{"id": name, "quantity": quantity, **terms} for name, quantity in fills.items()]
    return {"key": order.key, "status": status, "fills": rows}


def post(body: dict[str, Any], *, secret: str = SECRET, at: datetime | None = None) -> Any:
    raw = json.dumps(body).encode()
    headers = signature_headers(secret=secret, body=raw, now=at or timezone.now())
    return TlsClient().generic("POST", PATH, raw, "application/json", headers=headers)


def test_each_execution_is_booked_once_and_a_worker_concludes_the_step(order: LiquidationOrder) -> None:
    half = told(order, "open", a="1")
    assert post(half).json() == {"key": order.key, "status": "sent", "filled": "1", "booked": 1}
    assert post(half).json()["booked"] == 0
    assert Position.objects.get().quantity == 9
    woken = OutboxRow.objects.filter(topic="liquidation.case").count()
    whole = told(order, "filled", a="1", b="2")
    assert post(whole).json() == {"key": order.key, "status": "filled", "filled": "3", "booked": 1}
    assert OutboxRow.objects.filter(topic="liquidation.case").count() == woken + 1
    # Told before what is known already.
    assert post(half).json() == {"key": order.key, "status": "filled", "filled": "3", "booked": 0}
    LiquidationCase.objects.update(due_at=support.at(0))
    worked(90)
    case = LiquidationCase.objects.get()
    assert (case.outcome, case.steps.get(number=1).effects[f"position:{support.SWAP}"]) == ("safe", "-3")
    check_effects_equal_steps()
    assert post(whole).json()["booked"] == 0, "told again when the case is closed"


def test_one_report_at_ten_at_a_time_is_booked_once(order: LiquidationOrder) -> None:
    def one(_: int) -> int:
        try:
            return int(post(told(order, "filled", a="1", b="2")).json()["booked"])
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(one, range(10))) == [0] * 9 + [2]
    assert Position.objects.get().quantity == 7


@pytest.mark.parametrize("fault", ["forged", "old", "ahead", "unsigned", "token", "no venue"])
def test_what_the_venue_has_not_signed_within_minutes_is_not_heard(
    order: LiquidationOrder, settings: Settings, fault: str
) -> None:
    body, minutes = told(order, "filled", a="3"), timedelta(minutes=5, seconds=2)
    match fault:
        case "forged":
            answer = post(body, secret="another")
        case "old":
            answer = post(body, at=timezone.now() - minutes)
        case "ahead":
            answer = post(body, at=timezone.now() + minutes)
        case "unsigned":
            answer = TlsClient().post(PATH, body, format="json")
        case "token":
            answer = client_of(None, *Scope).post(PATH, body, format="json")
        case _:
            settings.PM_EXECUTION_SECRET = ""
            answer = post(body, secret="")
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert not LiquidationFill.objects.exists()


def test_a_report_that_cannot_be_true_is_refused_and_a_person_has_to_look(order: LiquidationOrder) -> None:
    assert post(told(order, "open", a="1")).status_code == HTTPStatus.OK
    answer = post(told(order, "filled", a="1", b="9"))
    assert (answer.status_code, "exceed its 3" in answer.json()["detail"]) == (HTTPStatus.CONFLICT, True)
    case = LiquidationCase.objects.get()
    assert (case.state, Position.objects.get().quantity) == (CaseState.QUARANTINED, 9)


def test_what_is_malformed_or_of_no_order_of_ours_is_named(order: LiquidationOrder) -> None:
    bad = told(order, "filled", a="many") | {"colour": "red"}
    assert {error["path"] for error in post(bad).json()["errors"]} == {"colour"}
    answer = post(told(order, "filled", a="many"))
    assert [error["path"] for error in answer.json()["errors"]] == ["fills[0].quantity"]
    assert post(told(order, "open") | {"key": "f" * 64}).status_code == HTTPStatus.NOT_FOUND
    assert CaseOutcome.SAFE not in LiquidationCase.objects.values_list("outcome", flat=True)
    assert Position.objects.get().quantity == Decimal(10)
