"""Eligibility through the API, by the wall clock: the market is published as the test begins."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Account, ApiToken, DeclarationAcceptance, Tenant
from accounts.services.accounts import account_create
from accounts.services.eligibility import declaration_publish
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope, token_generate
from tests.margin.falling import account_worth, linear_market
from tests.margin.world import ACTOR, world
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(tenant: Tenant | None, *scopes: Scope) -> TlsClient:
    parts = token_generate()
    now = timezone.now()
    ApiToken.objects.create(
        public_id=parts.public_id,
        digest=parts.digest,
        tenant=tenant,
        scopes=list(scopes),
        expires_at=now.replace(year=2999),
        created_by="test",
    )
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {parts.text}")


@pytest.fixture
def trader() -> TlsClient:
    """A holder of one account, enrolled and worth 15,000 USD."""
    world(linear_market(), timezone.now(), [account_worth(15_000, "A")])
    declaration_publish(version="1", text="I understand.", actor=ACTOR, now=timezone.now())
    return client_of(Tenant.objects.get(), Scope.READ, Scope.TRADE)


def url(part: str = "", code: str = "A") -> str:
    return f"/api/v1/accounts/{Account.objects.get(code=code).pk}{part}"


def answered(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.content
    return response.json()


def post(client: TlsClient, part: str, **body: Any) -> Any:
    return client.post(url(part), body, format="json")


def test_a_holder_leaves_accepts_and_enrols_again(trader: TlsClient) -> None:
    assert answered(post(trader, "/leave"))["margin_methodology"] == "standard"
    status = answered(trader.get(url("/eligibility")))
    assert status["state"] == "standard"
    assert ["declaration" in reason for reason in status["reasons"]] == [True]
    assert status["declaration"] == {"version": "1", "text": "I understand.", "accepted_at": None}
    refused = post(trader, "/enrol")
    assert (refused.status_code, refused["Content-Type"]) == (422, MEDIA_TYPE)
    assert refused.json()["reasons"] == status["reasons"]
    assert refused.json()["figures"]["net_equity"] == status["net_equity"]
    accepted = answered(post(trader, "/declarations", version="1"), 201)
    assert (accepted["version"], accepted["address"]) == ("1", "127.0.0.1")
    assert answered(post(trader, "/enrol", methodology="bybit-uta"))["margin_methodology"] == "bybit-uta"
    status = answered(trader.get(url("/eligibility")))
    assert (status["state"], status["reasons"], status["confirmations_needed"]) == ("active", [], 2)
    assert [move["kind"] for move in status["history"]] == ["enrolled", "left", "loaded"]
    assert status["history"][0]["declaration"] == "1"


def test_methodology_and_hedge_mode_are_changed_together_or_apart(trader: TlsClient) -> None:
    both = {"methodology": "bybit-uta", "hedge_mode": "spot_hedge"}
    account = answered(trader.patch(url(), both, format="json"))
    assert (account["margin_methodology"], account["hedge_mode"]) == ("bybit-uta", "spot_hedge")
    account = answered(trader.patch(url(), {"methodology": "okx-2025"}, format="json"))
    assert (account["methodology"], account["hedge_mode"]) == ("okx-2025", "spot_hedge")
    account = answered(trader.patch(url(), {"hedge_mode": None}, format="json"))
    assert (account["methodology"], account["hedge_mode"]) == ("okx-2025", None)
    assert answered(trader.get(url())) == account


@pytest.mark.parametrize(
    "body", [{"methodology": "x"}, {"hedge_mode": "spot_usdt"}, {"reduce_only": False}, {"methodology": None}]
)
def test_a_change_that_makes_no_sense_is_a_problem_with_its_path(
    trader: TlsClient, body: dict[str, Any]
) -> None:
    problem = answered(trader.patch(url(), body, format="json"), 400)
    assert [error["path"] for error in problem["errors"]] == list(body)


def test_a_retried_acceptance_is_answered_again_and_kept_once(trader: TlsClient) -> None:
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "k-1"}
    answers = [
        trader.post(url("/declarations"), {"version": "1"}, format="json", **key).content for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert DeclarationAcceptance.objects.count() == 1
    assert post(trader, "/declarations", version="0").status_code == 409


@pytest.mark.parametrize("part", ["/declarations", "/enrol", "/leave"])
def test_writes_need_the_scope_and_the_tenant(trader: TlsClient, part: str) -> None:
    tenant, other = Tenant.objects.get(), Tenant.objects.create(slug="other", name="Other")
    assert post(client_of(tenant, Scope.READ), part).status_code == 403
    assert post(client_of(other, Scope.READ, Scope.TRADE), part, **_body(part)).status_code == 404


def _body(part: str) -> dict[str, str]:
    return {"version": "1"} if part == "/declarations" else {}


def test_the_terms_and_the_status_are_not_for_strangers(trader: TlsClient) -> None:
    tenant, other = Tenant.objects.get(), Tenant.objects.create(slug="other", name="Other")
    stranger = client_of(other, Scope.READ, Scope.TRADE)
    assert stranger.patch(url(), {"methodology": "okx-2025"}, format="json").status_code == 404
    assert stranger.get(url("/eligibility")).status_code == 404
    reader = client_of(tenant, Scope.READ)
    assert reader.patch(url(), {"methodology": "okx-2025"}, format="json").status_code == 403


def test_without_a_market_the_status_says_so() -> None:
    tenant = Tenant.objects.create(slug="desk", name="Desk")
    account_create(tenant_id=tenant.pk, code="A", methodology="okx-2025", actor=ACTOR, now=timezone.now())
    status = answered(client_of(tenant, Scope.READ).get(url("/eligibility")))
    assert (status["net_equity"], status["declaration"], status["history"]) == (None, None, [])
    assert "no market snapshot" in status["reasons"][0]
