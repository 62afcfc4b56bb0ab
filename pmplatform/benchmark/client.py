"""A keep-alive client of the API, as small as it can be, so that what is timed is the server."""

from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec
from django.utils import timezone

from accounts.services.tokens import token_create
from pmplatform.benchmark.stored import ACTOR
from pmplatform.common.tokens import Scope

_TIMEOUT_SECONDS: Final = 30


class RequestFailed(RuntimeError):
    """The server refused a request of the benchmark; the message is its answer."""


def token() -> str:
    """A token of the platform that may read and trade."""
    issued = token_create(
        tenant=None,
        scopes=frozenset({Scope.READ, Scope.TRADE}),
        days=1,
        networks=[],
        name="benchmark",
        actor=ACTOR,
        now=timezone.now(),
    )
    return issued.text


class Client:
    """One connection, of one thread."""

    def __init__(self, url: str, secret: str) -> None:
        parts = urlsplit(url)
        self._base = parts.path
        self._connection = HTTPConnection(parts.netloc, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def get(self, path: str) -> bytes:
        """The body of an answer; RequestFailed."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, body: Any, **headers: str) -> bytes:
        """Likewise; underscores in the names of headers become hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("POST", path, msgspec.json.encode(body), named)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        self._connection.request(method, self._base + path, body, self._headers | headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise RequestFailed(f"{method} {path}: {answer.status} {content[:500].decode()}")
        return content
