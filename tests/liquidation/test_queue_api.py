"""Cases, controls and the insurance fund over the API."""

from http import HTTPStatus
from typing import Any

import pytest

from accounts.models import Account
from liquidation.choices import CaseState, CaseTrigger
from liquidation.models import FundEntry, LiquidationCase, LiquidationControls
from margin.models import RiskState
from pmplatform.common.models import AuditRow, Event
from pmplatform.common.tokens import Scope
from tests.accounts.books import NOW, account_document, list_instruments, load, make_tenant
from tests.accounts.test_access_api import client_of
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db
BASE = "/api/v1/liquidation"


@pytest.fixture
def case() -> LiquidationCase:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    return LiquidationCase.objects.create(
        account_id=account_id,
        trigger=CaseTrigger.LIQUIDATION,
        state=CaseState.AWAITING_APPROVAL,
        proposal={"kind": "close"},
        deficit_usd=100.0,
        evidence={"run": 1},
        opened_at_position=1,
        opened_at=NOW,
        due_at=NOW,
    )


@pytest.fixture
def desk() -> TlsClient:
    return client_of(None, Scope.READ, Scope.LIQUIDATION, Scope.RISK)


def _send(client: TlsClient, verb: str, path: str, body: Any, key: str = "k") -> Any:
    send = getattr(client, verb)
    return send(f"{BASE}/{path}", body, format="json", headers={"Idempotency-Key": key})


def test_a_case_is_approved_paused_and_resumed_with_reasons(case: LiquidationCase, desk: TlsClient) -> None:
    path = f"cases/{case.pk}"
    assert _send(desk, "post", f"{path}/approve", {"step": 2, "reason": "no"}, "a").status_code == 409
    approved = _send(desk, "post", f"{path}/approve", {"step": 1, "reason": "as planned"}, "b").json()
    assert (approved["state"], approved["approved_step"]) == ("working", 1)
    assert _send(desk, "post", f"{path}/pause", {"reason": "wait"}, "c").json()["state"] == "paused"
    assert _send(desk, "post", f"{path}/resume", {"reason": "go on"}, "d").json()["state"] == "working"
    reasons = list(AuditRow.objects.filter(object_type="liquidation_case").values_list("reason", flat=True))
    assert sorted(reasons) == ["as planned", "go on", "wait"]
    assert Event.objects.filter(kind="liquidation").count() == 3
    refused = _send(desk, "post", f"{path}/pause", {}, "e")
    assert [error["path"] for error in refused.json()["errors"]] == ["reason"]


def test_a_tenant_sees_its_own_cases_alone(case: LiquidationCase) -> None:
    mine = client_of(Account.objects.get().tenant, Scope.READ)
    other = client_of(make_tenant("other"), Scope.READ)
    assert [row["id"] for row in mine.get(f"{BASE}/cases").json()["results"]] == [case.pk]
    assert mine.get(f"{BASE}/cases/{case.pk}").json()["evidence"] == {"run": 1}
    assert mine.get(f"{BASE}/cases/{case.pk}/steps").json()["results"] == []
    assert mine.get(f"{BASE}/cases/{case.pk}/orders").json()["results"] == []
    assert mine.get(f"{BASE}/cases", {"state": "closed"}).json()["results"] == []
    assert other.get(f"{BASE}/cases").json()["results"] == []


def test_the_kill_switch_is_turned_with_a_reason(desk: TlsClient) -> None:
    assert desk.get(f"{BASE}/controls").json()["kill_switch"] is False
    turned = _send(desk, "patch", "controls", {"kill_switch": True, "reason": "venue down"}).json()
    assert (turned["kill_switch"], turned["approve_mode"], turned["reason"]) == (True, False, "venue down")
    assert LiquidationControls.objects.get().kill_switch


def test_risk_states_are_set_by_underlying_and_for_all(desk: TlsClient) -> None:
    body = {"mode": "reduce_only", "reason": "thin books"}
    assert _send(desk, "put", "risk-states/BTC", body, "a").json()["underlying"] == "BTC"
    assert _send(desk, "put", "risk-states/all", body | {"mode": "hold"}, "b").json()["underlying"] == "all"
    listed = {row["underlying"]: row["mode"] for row in desk.get(f"{BASE}/risk-states").json()["results"]}
    assert listed == {"all": "hold", "BTC": "reduce_only"}
    refused = _send(desk, "put", "risk-states/b t c", body, "c")
    assert [error["path"] for error in refused.json()["errors"]] == ["underlying"]
    assert RiskState.objects.count() == 2


def test_the_fund_is_paid_into_once_for_a_key_and_not_beyond_what_it_has(desk: TlsClient) -> None:
    body = {"currency": "USDT", "amount": "1000", "reason": "funding"}
    for _ in range(2):
        paid = _send(desk, "post", "fund/transfers", body)
        assert (paid.status_code, paid.json()["amount"]) == (HTTPStatus.CREATED, "1000")
    assert FundEntry.objects.count() == 1
    assert desk.get(f"{BASE}/fund").json() == {"balances": {"USDT": "1000"}, "positions": []}
    [entry] = desk.get(f"{BASE}/fund/entries").json()["results"]
    assert (entry["kind"], entry["amount"], entry["reason"]) == ("deposit", "1000", "funding")
    refused = _send(desk, "post", "fund/transfers", body | {"amount": "-1001"}, "other")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
