"""What every route's description has in common, added to the schema once."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from pmplatform.common.problems import MEDIA_TYPE, problem_document

_VERBS: Final = ("get", "post", "put", "patch", "delete")
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
#: Of every route that asks for credentials.
_COMMON: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_HEADERS: Final = {
    "RateLimit": {
        "description": "What is left of the quota, and for how many seconds",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {"description": "The quota and its window", "schema": {"type": "string"}},
    "X-Request-ID": {"description": "Names the request in logs and ledger", "schema": {"type": "string"}},
}


def describe_common(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: limits, outages, and the headers of answers, on every operation."""
    for operation in _operations(result):
        if {} in operation.get("security", [{}]):
            continue
        for status in _COMMON:
            operation["responses"].setdefault(str(int(status)), _problem(status))
        for code, response in operation["responses"].items():
            if code.startswith("2"):
                response["headers"] = {**response.get("headers", {}), **_HEADERS}
    return result


def _operations(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in result["paths"].values():
        yield from (path[verb] for verb in _VERBS if verb in path)


def _problem(status: HTTPStatus) -> dict[str, Any]:
    example = {"value": problem_document(status)}
    content = {"schema": _PROBLEM, "examples": {status.phrase.replace(" ", ""): example}}
    return {"description": status.phrase, "content": {MEDIA_TYPE: content}}
