"""Where webhooks may call: public addresses over TLS, and the networks that the platform allows besides."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from pmplatform.common.errors import FieldError, Refused

_PORTS: Final = {"https": 443, "http": 80}
#: NAT64, Teredo and 6to4.
_TRANSLATED: Final = [ip_network(each) for each in ("64:ff9b::/96", "2001::/32", "2002::/16")]
_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL with the one address that its host was resolved to, which the connection is made to."""

    scheme: str
    host: str
    port: int
    target: str
    address: str

    @property
    def host_header(self) -> str:
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


def url_faults(url: str) -> Iterator[FieldError]:
    """What is wrong with a URL by itself; its host is looked up only when it is called."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        yield FieldError("url", "is not a URL")
        return
    if parts.scheme not in _PORTS or not parts.hostname:
        yield FieldError("url", "is not an https URL with a host")
    elif parts.username is not None or parts.password is not None or parts.fragment:
        yield FieldError("url", "has credentials or a fragment")
    elif not url.isascii() or not url.isprintable() or " " in url or port == 0:
        yield FieldError("url", "has characters or a port that a URL cannot have")
    elif parts.scheme == "http" and not settings.PM_WEBHOOK_NETWORKS:
        yield FieldError("url", "is not https")
    elif (address := _literal(parts.hostname)) and not _may_be_called(address, parts.scheme):
        yield FieldError("url", "is not a public address")


def destination_resolve(url: str) -> Destination:
    """Look the host up once and settle on an address; every later step uses that one.

    Raises
    ------
    Refused
        When the host is unknown, or any of its addresses may not be called.
    """
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    addresses = _addresses(parts, port)
    if not all(_may_be_called(address, parts.scheme) for address in addresses):
        raise Refused([f"{parts.hostname} is not a public address."])
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, parts.hostname or "", port, target, str(addresses[0]))


def _addresses(parts: SplitResult, port: int) -> list[_Address]:
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Refused([f"{parts.hostname} cannot be looked up: {error}"]) from error
    return [ip_address(entry[4][0]) for entry in found]


def _may_be_called(address: _Address, scheme: str) -> bool:
    """Whether an address is public and called over TLS, or in a network that is allowed besides.

    An IPv4 address inside an IPv6 one is judged as what it is; one that a translator would unpack is
    refused, for it may lead anywhere.
    """
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    actual = inner or address
    if any(actual in ip_network(network) for network in settings.PM_WEBHOOK_NETWORKS):
        return True
    is_public = actual.is_global and not actual.is_multicast
    return scheme == "https" and is_public and not any(actual in network for network in _TRANSLATED)


def _literal(host: str) -> _Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
