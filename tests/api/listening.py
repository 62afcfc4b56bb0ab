"""A client of the stream, as simple as they come."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from tests.support.waiting import PATIENCE_SECONDS


@dataclass(frozen=True)
class Frame:
    """One event as it came over the wire."""

    id: int | None
    kind: str
    data: Any


class Listener:
    def __init__(self, response: HTTPResponse) -> None:
        self._response = response

    def frames(self) -> Iterator[Frame]:
        """Frames as they come, comments and `retry` left out; ends with the stream, or by a time-out."""
        fields: dict[str, str] = {}
        while line := self._response.readline().decode():
            name, _, value = line.rstrip("\n").partition(": ")
            if not name and fields.get("event"):
                yield Frame(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {**fields, name: value} if name else {}

    def take(self, count: int) -> list[Frame]:
        """The next so many frames."""
        frames = self.frames()
        return [next(frames) for _ in range(count)]


@contextmanager
def listening(url: str, authorization: str, *, last_id: int | None = None) -> Iterator[Listener]:
    """Listen to the platform at `url`."""
    headers = {"Authorization": authorization, "Accept": "text/event-stream"}
    if last_id is not None:
        headers["Last-Event-ID"] = str(last_id)
    client = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    try:
        client.request("GET", "/api/v1/stream", headers=headers)
        response = client.getresponse()
        assert response.status == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        yield Listener(response)
    finally:
        client.close()
