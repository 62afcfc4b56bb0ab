"""Tokens and webhooks over the API: shown once, within a tenant, and never more than the issuer has."""

from http import HTTPStatus
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiToken, Tenant, Webhook
from accounts.services.tokens import token_create
from pmplatform.common.models import AuditRow, IdempotencyRecord
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR, make_tenant
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db
HOOK = {"url": "https://desk.example.org/margin", "events": ["warning"]}


def client_of(tenant: Tenant | None, *scopes: Scope) -> TlsClient:
    """A client with a token of the tenant, or of the platform."""
    issued = token_create(tenant=tenant, scopes=frozenset(scopes), days=1, actor=ACTOR, now=timezone.now())
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {issued.text}")


@pytest.fixture
def acme() -> Tenant:
    return make_tenant("acme")


@pytest.fixture
def trader(acme: Tenant) -> TlsClient:
    return client_of(acme, Scope.READ, Scope.TRADE)


def _post(client: TlsClient, path: str, body: Any = None, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/{path}", body, format="json", headers=headers)


def _paths(response: Any) -> list[str]:
    assert response.status_code == HTTPStatus.BAD_REQUEST, response.content
    return [error["path"] for error in response.json()["errors"]]


def test_a_token_is_shown_once_works_and_is_revoked(trader: TlsClient) -> None:
    issued = _post(trader, "tokens", {"scopes": ["read"], "name": "bot", "networks": ["127.0.0.0/8"]})
    assert issued.status_code == HTTPStatus.CREATED
    token = issued.json()
    bot = TlsClient(HTTP_AUTHORIZATION=f"Bearer {token['token']}")
    assert bot.get("/api/v1/accounts").status_code == HTTPStatus.OK
    listed = trader.get("/api/v1/tokens").json()["results"]
    assert "bot" in [row["name"] for row in listed]
    assert not any("token" in row or "digest" in row for row in listed)
    revoked = trader.delete(f"/api/v1/tokens/{token['id']}")
    assert (revoked.status_code, revoked.json()["enabled"]) == (HTTPStatus.OK, False)
    assert bot.get("/api/v1/accounts").status_code == HTTPStatus.UNAUTHORIZED
    assert AuditRow.objects.filter(action="token.revoke", object_id=token["id"]).exists()


def test_a_repeated_key_issues_one_token_and_does_not_keep_its_text(trader: TlsClient) -> None:
    body = {"scopes": ["read"], "name": "bot"}
    first, again = (_post(trader, "tokens", body, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED)
    assert again.json() == {**first.json(), "token": None}
    assert ApiToken.objects.filter(name="bot").count() == 1
    secret = first.json()["token"].partition(".")[2]
    assert secret.encode() not in bytes(IdempotencyRecord.objects.get().response)


@pytest.mark.parametrize("scope", ["risk", "parameters", "liquidation"])
def test_a_tenants_token_cannot_have_a_scope_of_the_platform(trader: TlsClient, scope: str) -> None:
    assert set(_paths(_post(trader, "tokens", {"scopes": [scope]}))) == {"scopes"}


def test_nobody_hands_out_a_scope_that_they_lack(acme: Tenant) -> None:
    assert _paths(_post(client_of(acme, Scope.TRADE), "tokens", {"scopes": ["read"]})) == ["scopes"]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes[0]"),
        ({"scopes": ["read"], "days": 0}, "days"),
        ({"scopes": ["read"], "networks": ["10.0.0.0/99"]}, "networks[0]"),
        ({"scopes": ["read"], "enabled": True}, "enabled"),
    ],
)
def test_a_bad_request_for_a_token_names_the_path(trader: TlsClient, body: Any, path: str) -> None:
    assert _paths(_post(trader, "tokens", body)) == [path]


def test_the_platform_issues_tokens_for_tenants_and_none_for_itself(acme: Tenant) -> None:
    platform = client_of(None, Scope.READ, Scope.TRADE)
    assert _paths(_post(platform, "tokens", {"scopes": ["read"]})) == ["tenant"]
    assert _post(platform, "tokens", {"scopes": ["read"], "tenant": "acme"}).json()["tenant"] == "acme"
    own = ApiToken.objects.filter(tenant=None).get()
    assert own.public_id not in [row["id"] for row in platform.get("/api/v1/tokens").json()["results"]]
    assert platform.delete(f"/api/v1/tokens/{own.public_id}").status_code == HTTPStatus.NOT_FOUND


def test_another_tenants_tokens_and_webhooks_are_not_found(acme: Tenant, trader: TlsClient) -> None:
    webhook = _post(trader, "webhooks", HOOK).json()["id"]
    token = ApiToken.objects.get(tenant=acme).public_id
    stranger = client_of(make_tenant("other"), Scope.READ, Scope.TRADE)
    assert stranger.delete(f"/api/v1/tokens/{token}").status_code == HTTPStatus.NOT_FOUND
    for path in ("", "/deliveries"):
        answer = stranger.get(f"/api/v1/webhooks/{webhook}{path}")
        assert answer.status_code == HTTPStatus.NOT_FOUND
    assert _post(stranger, f"webhooks/{webhook}/rotate").status_code == HTTPStatus.NOT_FOUND
    assert stranger.get("/api/v1/webhooks").json()["results"] == []


def test_a_webhook_is_made_changed_rotated_and_forgotten(trader: TlsClient) -> None:
    made = _post(trader, "webhooks", HOOK, key="k")
    assert made.status_code == HTTPStatus.CREATED
    webhook = made.json()
    assert webhook["secret"].startswith("whs_")
    assert _post(trader, "webhooks", HOOK, key="k").json() == {**webhook, "secret": None}
    path = f"/api/v1/webhooks/{webhook['id']}"
    changed = trader.patch(path, {"enabled": False, "events": ["run", "margin"]}, format="json").json()
    assert (changed["enabled"], changed["events"]) == (False, ["margin", "run"])
    rotated = _post(trader, f"webhooks/{webhook['id']}/rotate").json()
    assert rotated["secret"] not in (None, webhook["secret"])
    assert rotated["rotated_until"] is not None
    assert trader.get(path).json() == {key: rotated[key] for key in trader.get(path).json()}
    assert trader.get(f"{path}/deliveries").json()["results"] == []
    assert trader.delete(path).status_code == HTTPStatus.NO_CONTENT
    assert not Webhook.objects.exists()


def test_a_webhook_into_a_private_network_is_refused_with_its_path(trader: TlsClient) -> None:
    assert _paths(_post(trader, "webhooks", HOOK | {"url": "https://192.168.0.1/"})) == ["url"]


def test_reading_alone_manages_neither_tokens_nor_webhooks(acme: Tenant) -> None:
    reader = client_of(acme, Scope.READ)
    for path in ("tokens", "webhooks"):
        assert reader.get(f"/api/v1/{path}").status_code == HTTPStatus.FORBIDDEN
