"""Orders, fills, transfers and what is withdrawable, through the API."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from accounts.models import Account, ApiToken, Fill, Order, Tenant, Transfer
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope, token_generate
from tests.margin.desks import AS_OF, SWAP, account_of, cash, positions
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = {"instrument": SWAP, "side": "buy", "quantity": "5", "price": "99000", "client_id": "c-1"}
FILL = {
    "instrument": SWAP,
    "side": "buy",
    "quantity": "2",
    "price": "98000",
    "fee": "0.5",
    "fee_currency": "USDT",
}
ROUTES = [("orders", ORDER), ("fills", FILL), ("transfers", {"currency": "USDT", "amount": "-1"})]


def _client(tenant: Tenant | None, *scopes: Scope) -> TlsClient:
    parts = token_generate()
    ApiToken.objects.create(
        public_id=parts.public_id,
        digest=parts.digest,
        tenant=tenant,
        scopes=list(scopes),
        expires_at=AS_OF.replace(year=2999),
        created_by="test",
    )
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {parts.text}")


@pytest.fixture(autouse=True)
def while_the_market_is_fresh() -> Iterator[None]:
    with time_machine.travel(AS_OF):
        yield


@pytest.fixture
def account_id() -> int:
    return account_of({"USDT": "10000"})


@pytest.fixture
def trader(account_id: int) -> TlsClient:
    return _client(Account.objects.get(pk=account_id).tenant, Scope.READ, Scope.TRADE)


def _post(client: TlsClient, account_id: int, route: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/accounts/{account_id}/{route}", body, format="json", headers=headers)


def _get(client: TlsClient, account_id: int, route: str) -> Any:
    response = client.get(f"/api/v1/accounts/{account_id}/{route}")
    assert response.status_code == 200, response.content
    return response.json()


def test_an_order_is_entered_filled_and_cancelled(trader: TlsClient, account_id: int) -> None:
    entered = _post(trader, account_id, "orders", ORDER)
    assert entered.status_code == 201, entered.content
    order_id = entered.json()["id"]
    filled = _post(trader, account_id, "fills", {**FILL, "order_id": order_id})
    assert (filled.status_code, filled.json()["order_id"]) == (201, order_id)
    assert positions(account_id) == {SWAP: (Decimal(2), Decimal(98_000))}
    [listed] = _get(trader, account_id, "orders")["results"]
    assert (listed["open_quantity"], listed["client_id"]) == ("3", "c-1")
    path = f"/api/v1/accounts/{account_id}/orders/{order_id}"
    assert trader.delete(path).json()["state"] == "cancelled"
    assert trader.delete(path).status_code == 409
    assert [row["id"] for row in _get(trader, account_id, "fills")["results"]] == [filled.json()["id"]]


def test_an_order_beyond_equity_is_a_problem_with_reasons_and_figures(
    trader: TlsClient, account_id: int
) -> None:
    refused = _post(trader, account_id, "orders", {**ORDER, "quantity": "50000"})
    assert (refused.status_code, refused["Content-Type"]) == (422, MEDIA_TYPE)
    body = refused.json()
    assert "initial margin" in body["reasons"][0]
    assert Decimal(body["figures"]["imr_after"]) > Decimal(body["figures"]["adjusted_equity_after"])


def test_what_is_withdrawable_is_what_may_leave(trader: TlsClient, account_id: int) -> None:
    answer = _get(trader, account_id, "withdrawable")
    assert (answer["methodology"], answer["as_of"]) == ("okx-2025", "2025-02-03T10:00:00Z")
    assert answer["currencies"] == [{"currency": "USDT", "amount": "10000"}]
    refused = _post(trader, account_id, "transfers", {"currency": "USDT", "amount": "-10000.01"})
    assert refused.status_code == 422
    assert refused.json()["figures"]["withdrawable"] == "10000"
    left = _post(trader, account_id, "transfers", {"currency": "USDT", "amount": "-10000"})
    assert left.status_code == 201
    assert [row["amount"] for row in _get(trader, account_id, "transfers")["results"]] == ["-10000"]
    assert cash(account_id) == {"USDT": 0}


@pytest.mark.parametrize(("route", "body"), ROUTES)
def test_a_repeated_write_is_answered_again_and_done_once(
    trader: TlsClient, account_id: int, route: str, body: dict[str, str]
) -> None:
    first, again = (_post(trader, account_id, route, body, key="k") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert Order.objects.count() + Fill.objects.count() + Transfer.objects.count() == 1
    other = _post(trader, account_id, route, {**body, "client_id": "other"}, key="k")
    assert other.status_code == 422


@pytest.mark.parametrize(("route", "body"), ROUTES)
def test_writing_takes_the_scope_for_trading_and_the_right_tenant(
    account_id: int, route: str, body: dict[str, str]
) -> None:
    tenant = Account.objects.get(pk=account_id).tenant
    assert _post(_client(tenant, Scope.READ), account_id, route, body).status_code == 403
    stranger = _client(Tenant.objects.create(slug="other", name="Other"), Scope.READ, Scope.TRADE)
    assert _post(stranger, account_id, route, body).status_code == 404
    assert stranger.get(f"/api/v1/accounts/{account_id}/{route}").status_code == 404
    assert cash(account_id) == {"USDT": 10_000}


@pytest.mark.parametrize(("route", "body"), ROUTES)
def test_an_unknown_member_is_a_problem_with_its_path(
    trader: TlsClient, account_id: int, route: str, body: dict[str, str]
) -> None:
    refused = _post(trader, account_id, route, {**body, "quantiy": "1"})
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "quantiy")
