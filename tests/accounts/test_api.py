from typing import Any

import pytest

from accounts.models import Account, ApiToken, Tenant
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope, token_generate
from tests.accounts.books import NOW, SWAP, account_document, list_instruments, load, make_tenant
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db
URL = "/api/v1/accounts"


def _client(tenant: Tenant | None, *scopes: Scope) -> TlsClient:
    parts = token_generate()
    ApiToken.objects.create(
        public_id=parts.public_id,
        digest=parts.digest,
        tenant=tenant,
        scopes=list(scopes or [Scope.READ]),
        expires_at=NOW.replace(year=2999),
        created_by="test",
    )
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {parts.text}")


@pytest.fixture
def acme() -> Tenant:
    list_instruments()
    return make_tenant("acme")


def _get(client: TlsClient, path: str = "", **query: Any) -> Any:
    response = client.get(URL + path, query)
    assert response.status_code == 200, response.content
    return response.json()


def test_amounts_are_decimal_strings(acme: Tenant) -> None:
    [account_id] = load(acme, account_document())
    client = _client(acme)
    assert _get(client, f"/{account_id}/balances")["results"] == [
        {"currency": "BTC", "amount": "1.5"},
        {"currency": "USDT", "amount": "100.000000000000000001"},
    ]
    positions = _get(client, f"/{account_id}/positions")["results"]
    assert {"instrument": SWAP, "quantity": "-10", "entry_price": "100000"} in positions
    [order] = _get(client, f"/{account_id}/orders", state="open")["results"]
    assert (order["side"], order["open_quantity"]) == ("buy", "5")
    [limit] = _get(client, f"/{account_id}/hedge-limits")["results"]
    assert limit == {"coin": "BTC", "ratio": "0.5", "max_amount": None}


def test_an_account_is_read_with_its_settings(acme: Tenant) -> None:
    [account_id] = load(acme, account_document())
    account = _get(_client(acme), f"/{account_id}")
    assert (account["code"], account["tenant"], account["hedge_mode"]) == ("A-1", "acme", "spot_hedge")


@pytest.mark.parametrize("part", ["", "/balances", "/positions", "/orders", "/ledger", "/hedge-limits"])
def test_another_tenants_account_is_not_found(acme: Tenant, part: str) -> None:
    [account_id] = load(acme, account_document())
    response = _client(make_tenant("other")).get(f"{URL}/{account_id}{part}")
    assert (response.status_code, response["Content-Type"]) == (404, MEDIA_TYPE)


def test_another_tenants_accounts_are_not_listed_and_the_platform_sees_all(acme: Tenant) -> None:
    load(acme, account_document())
    assert _get(_client(make_tenant("other")))["results"] == []
    assert len(_get(_client(None))["results"]) == 1


def test_pages_follow_each_other_by_cursor(acme: Tenant) -> None:
    load(acme, *(account_document(f"A-{number}") for number in range(5)))
    client = _client(acme)
    page, codes = _get(client, limit=2), []
    while True:
        codes += [account["code"] for account in page["results"]]
        if page["next"] is None:
            break
        page = client.get(page["next"]).json()
    assert codes == [f"A-{number}" for number in range(5)]


def test_accounts_filter_by_methodology_and_state(acme: Tenant) -> None:
    load(acme, account_document("A-1"), account_document("A-2", methodology="standard"))
    client = _client(acme)
    assert [row["code"] for row in _get(client, methodology="standard")["results"]] == ["A-2"]
    assert [row["code"] for row in _get(client, eligibility_state="active")["results"]] == ["A-1"]


@pytest.mark.parametrize(
    ("query", "path"),
    [({"methodolgy": "x"}, "methodolgy"), ({"methodology": "x"}, "methodology"), ({"cursor": "x"}, "cursor")],
)
def test_a_bad_query_parameter_is_a_problem_with_its_path(
    acme: Tenant, query: dict[str, str], path: str
) -> None:
    response = _client(acme).get(URL, query)
    assert response.status_code == 400
    assert [error["path"] for error in response.json()["errors"]] == [path]


def test_the_ledger_reads_newest_first_on_request(acme: Tenant) -> None:
    [account_id] = load(acme, account_document())
    ids = [row["id"] for row in _get(_client(acme), f"/{account_id}/ledger", ordering="-id")["results"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 7


def test_without_a_token_there_is_a_challenge() -> None:
    response = TlsClient().get(URL)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_opening_an_account_twice_with_one_key_opens_it_once(acme: Tenant) -> None:
    client = _client(acme, Scope.READ, Scope.TRADE)
    body = {"code": "N-1", "methodology": "okx-2025"}
    first, again = (client.post(URL, body, format="json", headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert Account.objects.get().margin_methodology == "standard"
    other = client.post(URL, body | {"code": "N-2"}, format="json", headers={"Idempotency-Key": "k"})
    assert other.status_code == 422


def test_reading_does_not_allow_opening(acme: Tenant) -> None:
    response = _client(acme).post(URL, {"code": "N-1", "methodology": "okx-2025"}, format="json")
    assert response.status_code == 403
    assert not Account.objects.exists()


def test_the_platform_opens_accounts_in_the_tenant_it_names(acme: Tenant) -> None:
    client = _client(None, Scope.TRADE)
    body = {"code": "N-1", "methodology": "okx-2025"}
    refused = client.post(URL, body, format="json")
    assert [error["path"] for error in refused.json()["errors"]] == ["tenant"]
    assert client.post(URL, body | {"tenant": "acme"}, format="json").json()["tenant"] == "acme"


def test_a_tenant_cannot_open_accounts_in_another(acme: Tenant) -> None:
    body = {"code": "N-1", "methodology": "okx-2025", "tenant": "acme"}
    response = _client(make_tenant("other"), Scope.TRADE).post(URL, body, format="json")
    assert response.status_code == 404


def test_hedge_limits_are_replaced_as_a_whole(acme: Tenant) -> None:
    [account_id] = load(acme, account_document())
    client = _client(acme, Scope.READ, Scope.TRADE)
    path = f"{URL}/{account_id}/hedge-limits"
    body = {"hedge_limits": {"ETH": {"ratio": 0.25}}}
    response = client.put(path, body, format="json")
    assert response.json() == {"hedge_limits": {"ETH": {"ratio": "0.25", "max_amount": None}}}
    assert [limit["coin"] for limit in _get(client, f"/{account_id}/hedge-limits")["results"]] == ["ETH"]
    newest = _get(client, f"/{account_id}/ledger", ordering="-id")["results"][0]
    assert (newest["subject"], newest["kind"]) == ("hedge-limits", "setting")


def test_a_bad_hedge_limit_is_named_by_its_path(acme: Tenant) -> None:
    [account_id] = load(acme, account_document())
    body = {"hedge_limits": {"ETH": {"ratio": "1.5"}}}
    path = f"{URL}/{account_id}/hedge-limits"
    response = _client(acme, Scope.TRADE).put(path, body, format="json")
    assert [error["path"] for error in response.json()["errors"]] == ["hedge_limits.ETH.ratio"]


def test_accounts_of_one_tenant_are_listed_for_the_platform(acme: Tenant) -> None:
    load(acme, account_document())
    load(make_tenant("other"), account_document())
    assert [row["tenant"] for row in _get(_client(None), tenant="acme")["results"]] == ["acme"]
