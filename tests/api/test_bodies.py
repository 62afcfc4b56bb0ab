"""What no route takes as a body: each is a problem that names where the fault is."""

from http import HTTPStatus
from typing import Any

import pytest

from pmplatform.common.parsers import KIB, MIB
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope
from tests.accounts.test_access_api import client_of
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db

_ROUTES = ("accounts", "simulations", "market/snapshots", "parameters/versions")
_DEEP = '{"a": ' * 40 + "1" + "}" * 40
_VERY_DEEP = "[" * 20_000 + "]" * 20_000
_PATH_OF_32 = ".".join("a" * 32)


@pytest.fixture
def client() -> TlsClient:
    return client_of(None, *Scope)


def fault_of(client: TlsClient, route: str, body: str | bytes) -> str:
    """The path of the first fault of a refused body."""
    answer: Any = client.post(f"/api/v1/{route}", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (HTTPStatus.BAD_REQUEST, MEDIA_TYPE), (
        answer.content
    )
    return str(answer.json()["errors"][0]["path"])


@pytest.mark.parametrize("route", _ROUTES)
@pytest.mark.parametrize(
    ("body", "path"),
    [
        ('{"market": {"fx": {"USDT": NaN}}}', "market.fx.USDT"),
        ('{"market": {"fx": {"USDT": -Infinity}}}', "market.fx.USDT"),
        ('{"market": {"fx": {"USDT": 1e999}}}', "market.fx.USDT"),
        ('{"market": [0, 1' + "0" * 5_000 + "]}", "market[1]"),
        ('{"market": {"index": 1, "index": 2}}', "market.index"),
        ('{"name": "\\u0000"}', "name"),
        ('{"name": "\\ud800"}', "name"),
        ('{"name": }', "name"),
        (b'{"name": "\xff"}', "name"),
        (_DEEP, _PATH_OF_32),
        (_VERY_DEEP, "[0]" * 32),
        ("[]", ""),
        ("3", ""),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_body_that_is_not_strict_json_is_refused_with_its_path(
    client: TlsClient, route: str, body: str | bytes, path: str
) -> None:
    assert fault_of(client, route, body) == path


@pytest.mark.parametrize(
    ("route", "limit"),
    [("accounts", 256 * KIB), ("simulations", 8 * MIB), ("market/snapshots", 8 * MIB)],
)
def test_a_body_beyond_its_routes_limit_is_refused(client: TlsClient, route: str, limit: int) -> None:
    assert fault_of(client, route, b'{"name": "' + b"x" * limit + b'"}') == ""


def test_a_field_that_nobody_knows_is_refused_with_its_path(client: TlsClient) -> None:
    assert fault_of(client, "accounts", '{"code": "A", "methodology": "standard", "colour": 1}') == "colour"


@pytest.mark.django_db(transaction=True)  # a run starts a transaction of its own kind
@pytest.mark.parametrize("route", ["runs", "runs/1/cancel", "webhooks/1/rotate"])
def test_a_route_that_takes_no_body_refuses_one(client: TlsClient, route: str) -> None:
    assert fault_of(client, route, '{"accounts": [1]}') == "accounts"
    assert fault_of(client, route, "[1]") == ""


def test_a_query_that_cannot_be_stored_is_refused_with_its_name(client: TlsClient) -> None:
    answer = client.get("/api/v1/accounts", {"code": "a\0b"})
    assert [error["path"] for error in answer.json()["errors"]] == ["code"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_refused(client: TlsClient, media_type: str) -> None:
    answer = client.post("/api/v1/accounts", "code=A", content_type=media_type)
    assert (answer.status_code, answer["Content-Type"]) == (415, MEDIA_TYPE)
