"""Load on the API out of one thread, so that it takes little from the machine that is measured."""

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlsplit

import msgspec

_END_OF_HEAD: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_STATUS: Final = slice(len(b"HTTP/1.1 "), len(b"HTTP/1.1 200"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server sent back."""

    status: int
    body: bytes


class Line(asyncio.Protocol):
    """One keep-alive connection, on which one request at a time is under way."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[Answer] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request as it is and wait for its answer; ConnectionError."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(_END_OF_HEAD)
        length = _LENGTH.search(self._received, 0, max(head, 0))
        end = head + len(_END_OF_HEAD) + (int(length[1]) if length else 0)
        if head < 0 or len(self._received) < end or self._waiting is None or self._waiting.done():
            return
        body = bytes(self._received[head + len(_END_OF_HEAD) : end])
        self._waiting.set_result(Answer(int(self._received[_STATUS]), body))
        del self._received[:end]

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error or ConnectionError("the server hung up"))


@dataclass(frozen=True, slots=True)
class Site:
    """The address of an API and the token to use it with."""

    host: str
    port: int
    base: str
    head: str

    @classmethod
    def of(cls, url: str, secret: str) -> Self:
        """Out of the API's URL."""
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None
        head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {secret}\r\n"
        return cls(parts.hostname, parts.port, parts.path, head)

    def get(self, path: str) -> bytes:
        """A request as bytes."""
        return f"GET {self.base}{path} HTTP/1.1\r\n{self.head}\r\n".encode()

    def post(self, path: str, document: Any) -> bytes:
        """Likewise, under a new idempotency key."""
        body = msgspec.json.encode(document)
        told = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        key = f"Idempotency-Key: {uuid.uuid4().hex}\r\n"
        return f"POST {self.base}{path} HTTP/1.1\r\n{self.head}{told}{key}\r\n".encode() + body

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """A connection of its own."""
        _, line = await asyncio.get_running_loop().create_connection(Line, self.host, self.port)
        try:
            yield line
        finally:
            line.close()


@dataclass(slots=True)
class Tally:
    """What has come of requests so far: the moments (perf_counter) at which the server had done one."""

    done: list[float] = field(default_factory=list)
    refused: int = 0

    def rate(self, since: float, until: float) -> float:
        """Requests done a second in between."""
        return sum(since <= moment < until for moment in self.done) / (until - since)


async def load(lines: list[Line], requests: Iterator[bytes], rate: float, tally: Tally) -> None:
    """Send so many requests a second, each at its moment whatever the answers take, until cancelled.

    One for which no line is free waits for the first that is.
    """
    free: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
    for line in lines:
        free.put_nowait(line)

    async def send(request: bytes) -> None:
        line = await free.get()
        answer = await line.ask(request)
        free.put_nowait(line)
        if answer.status == HTTPStatus.CREATED:
            tally.done.append(time.perf_counter())
        else:
            tally.refused += 1

    async with asyncio.TaskGroup() as under_way:
        due = time.perf_counter()
        for request in requests:
            due += 1.0 / rate
            await asyncio.sleep(max(due - time.perf_counter(), 0.0))
            under_way.create_task(send(request))
