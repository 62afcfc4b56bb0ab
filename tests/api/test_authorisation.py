"""Every route, asked by every kind of principal with every verb."""

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import pytest

from accounts.models import ApiToken, Tenant, Webhook
from accounts.services.webhooks import webhook_create
from liquidation.choices import CaseTrigger
from liquidation.models import LiquidationCase
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR, NOW, account_document, list_instruments, load, make_tenant
from tests.accounts.test_access_api import client_of
from tests.api.matrix import MATRIX, SIGNED, VERBS, Access, routes
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db

#: Refused as malformed by every write, before it does anything but after it is allowed.
BAD_KEY = {"Idempotency-Key": "no spaces"}


@dataclass(frozen=True)
class World:
    """One tenant with one of everything."""

    acme: Tenant
    ids: dict[str, Any]

    def path(self, route: str, access: Access) -> str:
        filled = re.sub(r"<\w+:(\w+)>", lambda match: str(self.ids[match[1]]), route)
        return f"/api/v1/{filled}{access.query}"


@pytest.fixture
def world() -> World:
    list_instruments()
    acme = make_tenant("acme")
    [account_id] = load(acme, account_document())
    webhook = webhook_create(
        tenant=acme, url="https://desk.example.org/", events=["run"], actor=ACTOR, now=NOW
    ).row
    case = LiquidationCase.objects.create(
        account_id=account_id,
        trigger=CaseTrigger.LIQUIDATION,
        deficit_usd=1.0,
        evidence={},
        opened_at_position=1,
        opened_at=NOW,
        due_at=NOW,
    )
    client_of(acme, Scope.READ)
    token = ApiToken.objects.get(tenant=acme)
    ids = {"account_id": account_id, "webhook_id": webhook.pk, "token_id": token.public_id}
    return World(
        acme,
        ids
        | dict.fromkeys(("order_id", "run_id", "version_id", "sequence"), 1)
        | {"case_id": case.pk, "underlying": "BTC"},
    )


def ask(client: TlsClient, verb: str, path: str, body: Any = None, headers: Any = None) -> Any:
    return client.generic(
        verb, path, "" if body is None else json.dumps(body), "application/json", headers=headers
    )


def test_every_route_of_the_platform_is_in_the_matrix_with_all_its_verbs() -> None:
    assert routes() == {route: set(verbs) for route, verbs in MATRIX.items()}


def test_without_credentials_only_what_is_open_answers(world: World) -> None:
    wrong = {}
    for route, verbs in MATRIX.items():
        is_open = any(access.open for access in verbs.values())
        for verb in VERBS:
            access = verbs.get(verb, Access())
            answer = ask(TlsClient(), verb, world.path(route, access), {})
            if answer.status_code != ((200 if access.open else 405) if is_open else 401):
                wrong[verb, route] = answer.content
            signed = any(access.signed for access in verbs.values())
            challenge = "PM-Signature" if signed else 'Bearer realm="api"'
            assert is_open or answer.headers["WWW-Authenticate"] == challenge
    assert wrong == {}


def _is_right(answer: Any, verb: str, access: Access | None, scope: Scope, *, is_platform: bool) -> bool:
    """Whether a principal with one scope was answered as the matrix says."""
    if access is not None and access.signed:
        return bool(answer.status_code == HTTPStatus.UNAUTHORIZED)
    if access is None:
        return bool(answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED)
    lacks_scope = access.scope is not None and access.scope != scope
    if not access.open and (lacks_scope or (access.platform and not is_platform)):
        return bool(answer.status_code == HTTPStatus.FORBIDDEN)
    if verb != "GET":
        return bool(answer.status_code == HTTPStatus.BAD_REQUEST)
    return answer.status_code not in (401, 403, 405, 500)


@pytest.mark.parametrize("owner", ["acme", "platform"])
def test_a_principal_may_what_its_scope_says_and_nothing_else(world: World, owner: str) -> None:
    is_platform = owner == "platform"
    wrong = {}
    for scope in Scope if is_platform else (Scope.READ, Scope.TRADE):
        client = client_of(None if is_platform else world.acme, scope)
        for route, verbs in MATRIX.items():
            for verb in VERBS:
                access = SIGNED if SIGNED in verbs.values() else verbs.get(verb)
                answer = ask(client, verb, world.path(route, access or Access()), {}, headers=BAD_KEY)
                if not _is_right(answer, verb, access, scope, is_platform=is_platform):
                    wrong[scope.value, verb, route] = answer.content
    assert wrong == {}


def test_what_is_somebody_elses_is_not_found_whatever_is_tried(world: World) -> None:
    stranger = client_of(make_tenant("other"), Scope.READ, Scope.TRADE)
    wrong = {}
    for route, verbs in MATRIX.items():
        for verb, access in verbs.items():
            if access.owned:
                answer = ask(stranger, verb, world.path(route, access), access.body)
                if answer.status_code != HTTPStatus.NOT_FOUND:
                    wrong[verb, route] = answer.content
    assert wrong == {}
    assert Webhook.objects.get().enabled
    assert ApiToken.objects.get(tenant=world.acme).enabled


#: What a tenant's principal may list: by route whether it is the same for everybody.
LISTS = {
    "accounts": False,
    "tokens": False,
    "webhooks": False,
    "liquidation/cases": False,
    "instruments": True,
    "market/snapshots": True,
    "market/state": True,
    "market/guards": True,
    "parameters/in-force": True,
    "liquidation/risk-states": True,
}


def test_no_list_shows_what_is_somebody_elses(world: World) -> None:
    read = {
        route
        for route, verbs in MATRIX.items()
        if "GET" in verbs and not (verbs["GET"].owned or verbs["GET"].platform or verbs["GET"].open)
    }
    # The stream and a snapshot by its number are no lists.
    assert read - {"stream", "market/snapshots/<int:sequence>"} == LISTS.keys()
    holder = client_of(world.acme, Scope.READ, Scope.TRADE)
    stranger = client_of(make_tenant("other"), Scope.READ, Scope.TRADE)
    own = ApiToken.objects.latest("id").public_id
    for route in (route for route, is_public in LISTS.items() if not is_public):
        assert ask(holder, "GET", f"/api/v1/{route}").json()["results"], route
        shown = ask(stranger, "GET", f"/api/v1/{route}").json()["results"]
        assert [row["id"] for row in shown] == ([own] if route == "tokens" else []), route


#: How the routes end whose writes are told nothing: a body is not read.
WITHOUT_BODY = ("runs", "/cancel", "/rotate", "/impact")


def test_no_write_takes_a_field_that_nobody_knows(world: World) -> None:
    client = client_of(None, *Scope)
    wrong = {}
    for route, verbs in MATRIX.items():
        for verb in verbs.keys() & {"POST", "PUT", "PATCH"}:
            if route.endswith(WITHOUT_BODY) or verbs[verb].signed:
                continue
            body = (verbs[verb].body or {}) | {"colour": 1}
            answer = ask(client, verb, world.path(route, verbs[verb]), body)
            paths = [fault["path"] for fault in answer.json().get("errors", ())]
            if answer.status_code != HTTPStatus.BAD_REQUEST or "colour" not in paths:
                wrong[verb, route] = answer.status_code, answer.content
    assert wrong == {}


def test_a_what_if_of_somebody_elses_account_is_not_found(world: World) -> None:
    stranger = client_of(make_tenant("other"), Scope.READ)
    body = {"account": world.ids["account_id"], "changes": {}}
    assert ask(stranger, "POST", "/api/v1/simulations/what-if", body).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("fault", ["revoked", "expired", "elsewhere", "forged"])
def test_a_token_that_is_no_longer_or_never_was_good_opens_nothing(world: World, fault: str) -> None:
    client = client_of(world.acme, Scope.READ, Scope.TRADE)
    token = ApiToken.objects.latest("id")
    match fault:
        case "revoked":
            token.enabled = False
        case "expired":
            token.expires_at = NOW
        case "elsewhere":
            token.networks = ["192.0.2.0/24"]
        case "forged":
            token.digest = "0" * 64
    token.save()
    for route, verbs in MATRIX.items():
        for verb, access in verbs.items():
            answer = ask(client, verb, world.path(route, access), {})
            # Health does not look at credentials, good or bad.
            assert answer.status_code == (200 if access.open else 401), (route, verb)
