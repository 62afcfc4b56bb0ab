"""A TCP proxy on loopback that can delay, cut, silence or refuse what passes through it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum, auto
from typing import Final

from pmplatform.embedded.process import LOOPBACK

_CHUNK: Final = 65_536


class Mode(Enum):
    """What becomes of bytes: passed on, swallowed without a word (a half-open connection), or refused."""

    PASS = auto()
    SILENT = auto()
    REFUSE = auto()


class Proxy:
    """A listener before one server; its port stays while the server behind may come and go.

    ``delay`` seconds are added to every answer. ``cut_after`` is a text whose first passage towards the
    server is the last thing that passes: the server acts on it, and its answer is lost.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self.mode = Mode.PASS
        self.delay = 0.0
        self.cut_after: bytes | None = None
        self.cuts = 0
        self._behind = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()

    def reset(self) -> None:
        """Cut every connection there is, as a crash of the machine between would."""
        self._loop.call_soon_threadsafe(self._abort)

    def heal(self) -> None:
        """Pass everything on again; connections that have been silenced are cut."""
        silenced = self.mode is not Mode.PASS
        self.mode, self.delay, self.cut_after = Mode.PASS, 0.0, None
        if silenced:
            self.reset()

    def _abort(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def serve(self, started: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        async with server:
            with suppress(asyncio.CancelledError):
                await server.serve_forever()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode is Mode.REFUSE:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection(LOOPBACK, self._behind)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there}
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(
                self._pump(reader, there, self._towards), self._pump(there_reader, writer, self._back)
            )
        for end in (writer, there):
            self._writers.discard(end)
            end.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passing: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        while data := await reader.read(_CHUNK):
            if self.mode is Mode.PASS:
                await passing(data, writer)
        raise ConnectionResetError

    async def _towards(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        if self.cut_after is not None and self.cut_after in data:
            self.cut_after = None
            self.cuts += 1
            # The server has it in a moment; what it answers reaches nobody.
            await asyncio.sleep(0.2)
            raise ConnectionResetError

    async def _back(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self.delay:
            await asyncio.sleep(self.delay)
        writer.write(data)
        await writer.drain()

    def run(self, started: threading.Event) -> None:
        self._loop.run_until_complete(self.serve(started))
        self._loop.close()

    def stop(self) -> None:
        def cancel() -> None:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

        self._loop.call_soon_threadsafe(cancel)


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy before a port of loopback, in a thread of its own."""
    proxy, started = Proxy(port), threading.Event()
    thread = threading.Thread(target=proxy.run, args=[started], daemon=True)
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
