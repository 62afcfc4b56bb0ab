"""Calls of a live server's API, as a program would make them: one connection each, answers as JSON."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from accounts.models import ApiToken
from pmplatform.common.tokens import Scope, token_generate
from tests.support.waiting import PATIENCE_SECONDS

API = "/api/v1/"
#: What the live server needs to be spoken to without TLS.
PLAIN_HTTP = {"PM_PLAIN_HTTP": "1"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Caller:
    """A token of the platform, with these scopes, at a server."""

    url: str
    token: str

    @classmethod
    def with_scopes(cls, url: str, *scopes: Scope) -> "Caller":
        parts = token_generate()
        ApiToken.objects.create(
            public_id=parts.public_id,
            digest=parts.digest,
            scopes=list(scopes),
            expires_at=datetime(2999, 1, 1, tzinfo=UTC),
            created_by="test",
        )
        return cls(url, parts.text)

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """The answer to one request; `key` names it for the case that it is sent again."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key or uuid4().hex,
        }
        data = None if body is None else msgspec.json.encode(body)
        with closing(HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE_SECONDS)) as server:
            server.request(method, API + path, data, headers)
            answer = server.getresponse()
            text = answer.read()
            return Answer(answer.status, msgspec.json.decode(text) if text else None, dict(answer.headers))

    def get(self, path: str) -> Any:
        """What is read there, which must be."""
        answer = self.ask("GET", path)
        assert answer.status < 400, answer
        return answer.body

    def post(self, path: str, body: Any, key: str | None = None) -> Answer:
        return self.ask("POST", path, body, key)
