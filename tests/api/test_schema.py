"""The schema: every route with its scope, errors and examples, and pages that ask no other host."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.test import Client

from pmplatform.common.problems import MEDIA_TYPE
from tests.api.matrix import MATRIX, Access

Operation = tuple[str, str, Access, dict[str, Any]]


@pytest.fixture(scope="module")
def schema() -> Any:
    return yaml.safe_load(Client().get("/api/schema", secure=True).content)


def operations(schema: Any) -> Iterator[Operation]:
    for route, verbs in MATRIX.items():
        path = "/api/v1/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
        for verb, access in verbs.items():
            yield verb, path, access, schema["paths"][path][verb.lower()]


def test_the_schema_has_the_routes_of_the_matrix_and_no_others(schema: Any) -> None:
    described = {
        (verb.upper(), path)
        for path, verbs in schema["paths"].items()
        for verb in verbs
        if verb != "parameters"
    }
    assert described == {(verb, path) for verb, path, _, _ in operations(schema)}


def test_every_operation_says_which_scope_it_needs_and_whether_the_platform_alone_has_it(schema: Any) -> None:
    for verb, path, access, operation in operations(schema):
        text = operation["description"]
        if access.open:
            assert "Without credentials." in text, (verb, path)
        elif access.signed:
            assert "by signature." in text, (verb, path)
        elif access.scope is None:
            assert "Any credentials." in text, (verb, path)
        else:
            assert f"Scope: `{access.scope}`" in text, (verb, path)
        assert ("platform only" in text.lower()) == access.platform, (verb, path)


def test_every_operation_documents_its_errors(schema: Any) -> None:
    for verb, path, access, operation in operations(schema):
        codes = set(operation["responses"])
        if not access.open:
            assert {"401", "429", "503"} <= codes, (verb, path)
        if access.owned:
            assert "404" in codes, (verb, path)
        for code, response in operation["responses"].items():
            if code >= "400":
                assert set(response["content"]) == {MEDIA_TYPE}, (verb, path, code)


def test_every_body_has_an_example(schema: Any) -> None:
    for verb, path, _, operation in operations(schema):
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for body in [*bodies, *operation["responses"].values()]:
            for media_type, content in body.get("content", {}).items():
                assert content.get("examples"), (verb, path, media_type)


def test_every_write_that_moves_state_takes_an_idempotency_key(schema: Any) -> None:
    for verb, path, access, operation in operations(schema):
        takes = "Idempotency-Key" in {each["name"] for each in operation.get("parameters", ())}
        # What a venue signs is once by its fills' own names.
        is_named_otherwise = access.signed or "/simulations" in path
        assert takes == (verb != "GET" and not is_named_otherwise), (verb, path)


def test_the_documentation_asks_no_other_host() -> None:
    page = Client().get("/api/docs", secure=True)
    script = Client().get("/api/docs?script=", secure=True)
    assert page.status_code == script.status_code == 200
    for answer in (page, script):
        hosts = re.findall(rb"(?:https?:)?//([\w.-]+\.\w+)", answer.content)
        assert set(hosts) <= {b"testserver"}, hosts
