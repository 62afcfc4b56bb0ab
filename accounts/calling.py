"""One POST to an address that was looked up before: no redirect, no proxy, bounded in time."""

import socket
import ssl
from collections.abc import Mapping
from functools import lru_cache
from http.client import HTTPConnection, HTTPException
from threading import Timer
from typing import Final

from accounts.addresses import Destination
from pmplatform.common.errors import Refused

#: How long a receiver may keep silent, and how long the whole call may take.
SILENCE_SECONDS: Final = 5.0
CALL_SECONDS: Final = 10.0


class _PinnedConnection(HTTPConnection):
    """Connects to the address that was resolved; its certificate has to be the host's."""

    def __init__(self, destination: Destination) -> None:
        super().__init__(destination.host, destination.port, timeout=SILENCE_SECONDS)
        self._destination = destination

    def connect(self) -> None:
        pinned = (self._destination.address, self._destination.port)
        self.sock = socket.create_connection(pinned, timeout=SILENCE_SECONDS)
        if self._destination.scheme == "https":
            self.sock = tls_context().wrap_socket(self.sock, server_hostname=self._destination.host)

    def abort(self) -> None:
        """End a call from another thread: what it waits for fails."""
        if self.sock is not None:
            self.sock.shutdown(socket.SHUT_RDWR)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Trusts what the system trusts, and checks names; made once, for it reads every certificate."""
    return ssl.create_default_context()


def post(*, destination: Destination, headers: Mapping[str, str], body: bytes) -> int:
    """The status that a receiver answers with; what else it says is not read.

    Raises
    ------
    Refused
        When it cannot be reached, or does not answer in time.
    """
    connection = _PinnedConnection(destination)
    watchdog = Timer(CALL_SECONDS, connection.abort)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request("POST", destination.target, body, {**headers, "Host": destination.host_header})
        return connection.getresponse().status
    except (OSError, HTTPException) as error:
        raise Refused([f"{destination.host} did not answer: {type(error).__name__}: {error}"]) from error
    finally:
        watchdog.cancel()
        connection.close()
