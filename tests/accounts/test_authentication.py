"""Who gets in, with what, from where, and what they may do then."""

import json
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from rest_framework.response import Response

from accounts.authentication import user_principal
from accounts.models import ApiToken, Tenant, User
from accounts.services.tenants import tenant_grant, user_create
from accounts.services.tokens import token_create, token_revoke
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR, make_tenant
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant("acme")


def issue(tenant: Tenant | None, *scopes: Scope, networks: tuple[str, ...] = ()) -> str:
    return token_create(
        tenant=tenant,
        scopes=frozenset(scopes or {Scope.READ}),
        days=1,
        networks=networks,
        actor=ACTOR,
        now=timezone.now(),
    ).text


def get(authorization: str, address: str = "127.0.0.1") -> Response:
    client = TlsClient(REMOTE_ADDR=address)
    response: Response = client.get("/api/v1/accounts", headers={"Authorization": authorization})
    return response


def test_a_genuine_token_gets_in_and_its_use_is_remembered(tenant: Tenant) -> None:
    assert get(f"Bearer {issue(tenant)}").status_code == HTTPStatus.OK
    assert ApiToken.objects.get().last_used_at is not None


def test_a_token_that_is_used_while_the_pepper_is_rotated_outlives_the_pepper_before(
    tenant: Tenant, settings: Settings
) -> None:
    used, unused = issue(tenant), issue(tenant)
    settings.PM_TOKEN_PEPPER, settings.PM_TOKEN_PEPPER_PREVIOUS = "another", settings.PM_TOKEN_PEPPER
    assert get(f"Bearer {used}").status_code == HTTPStatus.OK
    settings.PM_TOKEN_PEPPER_PREVIOUS = None
    statuses = [get(f"Bearer {token}").status_code for token in (used, unused)]
    assert statuses == [HTTPStatus.OK, HTTPStatus.UNAUTHORIZED]


def test_the_stored_row_does_not_contain_the_secret(tenant: Tenant) -> None:
    secret = issue(tenant).partition(".")[2]
    [row] = ApiToken.objects.values()
    assert secret not in str(row)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer pm_x.y", "Bearer " + "a" * 5000, "Basic YTpi"]
)
def test_without_a_token_there_is_a_401_with_a_challenge(authorization: str) -> None:
    refused = get(authorization)
    assert refused.status_code == HTTPStatus.UNAUTHORIZED
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="api"'
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_every_reason_to_refuse_a_token_looks_the_same(tenant: Tenant) -> None:
    good = issue(tenant)
    revoked, expired, elsewhere = issue(tenant), issue(tenant), issue(tenant, networks=("10.0.0.0/8",))
    token_revoke(public_id=revoked[3:19], actor=ACTOR)
    ApiToken.objects.filter(public_id=expired[3:19]).update(expires_at=timezone.now() - timedelta(seconds=1))
    forged = good[:-1] + ("A" if good[-1] != "A" else "B")
    unknown = "pm_0123456789abcdef." + "a" * 43
    answers = [get(f"Bearer {text}") for text in (revoked, expired, elsewhere, forged, unknown)]
    assert {answer.status_code for answer in answers} == {HTTPStatus.UNAUTHORIZED}
    assert {json.loads(answer.content)["detail"] for answer in answers} == {"The credentials are not valid."}


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", HTTPStatus.OK), ("2001:db8::7", HTTPStatus.OK), ("11.0.0.1", HTTPStatus.UNAUTHORIZED)],
)
def test_a_token_works_from_its_networks_only(tenant: Tenant, address: str, status: HTTPStatus) -> None:
    token = issue(tenant, networks=("10.0.0.0/8", "2001:db8::/32"))
    assert get(f"Bearer {token}", address).status_code == status


def test_a_token_without_the_scope_is_told_which_one_it_needs(tenant: Tenant) -> None:
    refused = TlsClient().post(
        "/api/v1/accounts",
        {"code": "A-1", "methodology": "okx-2025"},
        headers={"Authorization": f"Bearer {issue(tenant)}"},
    )
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert json.loads(refused.content)["detail"] == "This needs the scope 'trade'."


def test_a_session_reads_as_its_user(tenant: Tenant) -> None:
    client = TlsClient()
    client.force_login(_user("ada", tenant))
    assert client.get("/api/v1/accounts").status_code == HTTPStatus.OK


def test_a_session_needs_its_csrf_token_to_write(tenant: Tenant) -> None:
    client = TlsClient(enforce_csrf_checks=True)
    client.force_login(_user("ada", tenant, Scope.TRADE))
    body = {"code": "A-1", "methodology": "okx-2025"}
    refused = client.post("/api/v1/accounts", body)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert "CSRF" in json.loads(refused.content)["detail"]


def test_scopes_of_a_user_are_permissions_beside_read(tenant: Tenant) -> None:
    principal = user_principal(_user("ada", tenant, Scope.TRADE))
    assert principal.scopes == {Scope.READ, Scope.TRADE}
    assert principal.writable_tenants == frozenset({tenant.pk})


def test_platform_staff_read_everywhere_and_write_by_grant_only(tenant: Tenant) -> None:
    staff, boss, other = _user("eve", None, Scope.TRADE), _user("bob", None), make_tenant("other")
    assert not user_principal(staff).may_write(tenant.pk)
    tenant_grant(user=staff, tenant=tenant, granted_by=boss, reason="support case 7", actor=ACTOR)
    principal = user_principal(staff)
    assert principal.may_read(other.pk)
    assert principal.may_write(tenant.pk)
    assert not principal.may_write(other.pk)


def test_a_superuser_has_every_scope_but_no_tenant_without_a_grant(tenant: Tenant) -> None:
    root = user_create(
        username="root", password="correct horse battery", tenant=None, is_superuser=True, actor=ACTOR
    )
    principal = user_principal(root)
    assert principal.scopes == set(Scope)
    assert not principal.may_write(tenant.pk)


def _user(name: str, tenant: Tenant | None, *scopes: Scope) -> User:
    return user_create(
        username=name, password="correct horse battery", tenant=tenant, scopes=frozenset(scopes), actor=ACTOR
    )
