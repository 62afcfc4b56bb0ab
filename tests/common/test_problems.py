"""Whatever goes wrong, a caller of the API gets a problem document with its request id and no traceback."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.response import Response

from accounts.models import Tenant
from accounts.services.tokens import token_create
from pmplatform.common.errors import LockTimeout, NotFound, Refused, StaleClaim, ValidationFailed
from pmplatform.common.principals import Actor
from pmplatform.common.problems import problem_exception_handler
from pmplatform.common.tokens import Scope
from tests.support.client import TlsClient

MEMBERS = {"type", "title", "status", "detail", "errors", "request_id"}


@pytest.fixture
def client(db: None) -> TlsClient:
    token = token_create(
        tenant=Tenant.objects.create(slug="acme", name="Acme"),
        scopes=frozenset({Scope.READ, Scope.TRADE}),
        days=1,
        actor=Actor("user:tester", "r-1"),
        now=timezone.now(),
    ).text
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def post(client: TlsClient, body: bytes, content_type: str = "application/json") -> Response:
    response: Response = client.post("/api/v1/accounts", body, content_type=content_type)
    return response


def is_problem(response: Response, status: HTTPStatus) -> bool:
    body = json.loads(response.content)
    return (
        response.status_code == status == body["status"]
        and response.headers["Content-Type"] == "application/problem+json"
        and body["request_id"] == response.headers["X-Request-ID"] != ""
        and set(body) == MEMBERS
    )


def test_requests_that_miss_the_api_are_answered_with_problems(client: TlsClient) -> None:
    assert is_problem(client.get("/api/v1/nothing-here"), HTTPStatus.NOT_FOUND)
    assert is_problem(client.get("/api/v1/accounts/999999999999999999999999"), HTTPStatus.NOT_FOUND)
    assert is_problem(client.delete("/api/v1/accounts"), HTTPStatus.METHOD_NOT_ALLOWED)
    assert is_problem(post(client, b"<a/>", "application/xml"), HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    assert is_problem(
        client.get("/api/v1/accounts", headers={"Accept": "text/html"}), HTTPStatus.NOT_ACCEPTABLE
    )
    assert is_problem(TlsClient().get("/api/v1/accounts"), HTTPStatus.UNAUTHORIZED)


def test_a_page_of_the_console_that_is_missing_stays_html(client: TlsClient) -> None:
    assert client.get("/nothing-here").headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"code": "A", "code": "B"}', "code"),
        (b'{"code": NaN}', "code"),
        (b'{"code": "A", "methodology": "okx-2025", "leverage": 5}', "leverage"),
        (b'{"methodology": "okx-2025"}', "code"),
        (b'{"code": "A", "methodology": "okx-1999"}', "methodology"),
        (b'{"code": "a b", "methodology": "okx-2025"}', "code"),
        (b'{"code": ["A"], "methodology": "okx-2025"}', "code"),
        (b"[]", ""),
        (b"null", ""),
        (b'"text"', ""),
        (b"[" * 20_000, "[0]" * 32),
        (b" " * (256 * 1024 + 1), ""),
        (b'{"code": "\xff"}', "code"),
        (b'{"code": "\\ud800", "methodology": "okx-2025"}', "code"),
    ],
)
def test_a_bad_body_is_a_400_that_names_the_path(client: TlsClient, body: bytes, path: str) -> None:
    response = post(client, body)
    assert is_problem(response, HTTPStatus.BAD_REQUEST)
    assert [error["path"] for error in json.loads(response.content)["errors"]] == [path]


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=cD1hYmM%3D", "ordering=secret", "methodology=x", "colour=red"]
)
def test_a_bad_parameter_is_a_400_that_names_it(client: TlsClient, query: str) -> None:
    response = client.get(f"/api/v1/accounts?{query}")
    assert is_problem(response, HTTPStatus.BAD_REQUEST)
    assert json.loads(response.content)["errors"][0]["path"] == query.partition("=")[0]


def test_a_well_formed_request_id_is_kept_and_another_replaced(client: TlsClient) -> None:
    kept = client.get("/api/v1/accounts", headers={"X-Request-ID": "desk-7.a_B"})
    replaced = client.get("/api/v1/accounts", headers={"X-Request-ID": "<script>"})
    assert kept.headers["X-Request-ID"] == "desk-7.a_B"
    assert replaced.headers["X-Request-ID"] != "<script>"


def test_the_log_has_the_request_id_that_the_caller_sees_and_the_address_that_it_cannot_choose(
    client: TlsClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.get("/api/v1/accounts", headers={"X-Forwarded-For": "203.0.113.9"})
    logged = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert {line["request_id"] for line in logged} == {response.headers["X-Request-ID"]}
    assert {line["ip"] for line in logged} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValidationFailed.at("a.b", "is wrong"), HTTPStatus.BAD_REQUEST),
        (SuspiciousOperation("secret"), HTTPStatus.BAD_REQUEST),
        (PermissionDenied("secret"), HTTPStatus.FORBIDDEN),
        (NotFound(), HTTPStatus.NOT_FOUND),
        (Http404("secret"), HTTPStatus.NOT_FOUND),
        (StaleClaim(), HTTPStatus.CONFLICT),
        (Refused(["no"]), HTTPStatus.UNPROCESSABLE_ENTITY),
        (Throttled(wait=3), HTTPStatus.TOO_MANY_REQUESTS),
        (RuntimeError("secret"), HTTPStatus.INTERNAL_SERVER_ERROR),
        (LockTimeout(), HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
def test_every_error_has_its_status_and_tells_no_secret(error: Exception, status: HTTPStatus) -> None:
    response = problem_exception_handler(error, {})
    assert response.status_code == status == response.data["status"]
    assert "secret" not in str(response.data)


def test_a_refusal_carries_its_reasons_and_figures() -> None:
    refused = Refused(["Equity would not cover the margin."], {"imr": "120.5", "adjusted_equity": "100"})
    body = problem_exception_handler(refused, {}).data
    assert body["reasons"] == ["Equity would not cover the margin."]
    assert body["figures"] == {"imr": "120.5", "adjusted_equity": "100"}


def test_who_is_throttled_or_locked_out_is_told_when_to_come_back() -> None:
    assert problem_exception_handler(Throttled(wait=3), {}).headers["Retry-After"] == "4"
    assert problem_exception_handler(LockTimeout(), {}).headers["Retry-After"] == "1"


def test_nested_faults_of_a_serializer_become_paths() -> None:
    detail: dict[str, Any] = {
        "orders": [{}, {"price": ["is not a decimal number"]}],
        "hedge_limits": {"BTC": {"ratio": ["is not within 0 and 1"]}},
        "networks": {1: ["is no network"]},
        "non_field_errors": ["is incoherent"],
    }
    body = problem_exception_handler(serializers.ValidationError(detail), {}).data
    assert [error["path"] for error in body["errors"]] == [
        "orders[1].price",
        "hedge_limits.BTC.ratio",
        "networks[1]",
        "",
    ]
