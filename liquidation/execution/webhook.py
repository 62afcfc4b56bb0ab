"""Execution at a venue of one's own over HTTP: signed requests, and only signed answers are believed.

`POST {url}` places an order, `GET {url}/{key}` asks for it. Both answer {key, status, fills}.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import msgspec
import urllib3
from django.utils import timezone

from liquidation.errors import VenueFault, VenueSilent
from liquidation.execution.port import OrderRequest, Report, ReportStatus, VenueFill
from pmplatform.common.decimals import amount_fault, decimal_text
from pmplatform.common.signing import signature_headers, signature_holds

_LARGEST_ANSWER: Final = 1 << 20
_CONNECT_SECONDS: Final = 2.0


class _Fill(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    key: str
    status: ReportStatus
    fills: list[_Fill]


@dataclass(frozen=True)
class WebhookPort:
    """A venue behind a URL. Without an answer nothing is known; the same key may always be sent again."""

    url: str
    secret: str
    read_seconds: float = 5.0
    is_immediate: bool = field(default=False, init=False)
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(retries=False), init=False, repr=False
    )

    def send(self, order: OrderRequest) -> Report:
        terms = {
            "key": order.key,
            "instrument": order.instrument,
            "side": order.side,
            "quantity": decimal_text(order.quantity),
            "limit_price": decimal_text(order.limit_price),
            "time_in_force": "ioc",
        }
        status, answer = self._request("POST", self.url, msgspec.json.encode(terms))
        if status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise VenueSilent([f"The venue answered {status} to order {order.key[:8]}."])
        return report_read(answer, order.key)

    def ask(self, key: str) -> Report | None:
        status, answer = self._request("GET", f"{self.url}/{key}", b"")
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise VenueSilent([f"The venue answered {status} about order {key[:8]}."])
        return report_read(answer, key)

    def _request(self, method: str, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of a signed answer; VenueSilent where there is none."""
        headers = signature_headers(secret=self.secret, body=body, now=timezone.now())
        try:
            response = self._pool.request(
                method,
                url,
                body=body or None,
                headers={**headers, "Content-Type": "application/json"},
                timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=self.read_seconds),
                preload_content=False,
            )
            answer = response.read(_LARGEST_ANSWER + 1)
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise VenueSilent([f"The venue cannot be reached: {type(error).__name__}."]) from error
        if len(answer) > _LARGEST_ANSWER:
            raise VenueFault("The venue's answer is too large.")
        signed = signature_holds(
            secret=self.secret, headers=response.headers, body=answer, now=timezone.now()
        )
        if not signed:
            raise VenueSilent(["The venue's answer is not signed, and not believed."])
        return response.status, answer


def report_read(answer: bytes, key: str | None = None) -> Report:
    """A signed answer as a report, of this order if a `key` is given; VenueFault where it makes no sense."""
    try:
        read = msgspec.json.decode(answer, type=_Answer)
    except msgspec.MsgspecError as error:
        raise VenueFault(f"The venue's answer is not understood: {error}") from error
    if key is not None and read.key != key:
        raise VenueFault(f"The venue was asked about {key[:8]} and answered about {read.key[:8]}.")
    for fill in read.fills:
        for amount in (fill.quantity, fill.price, fill.fee):
            if fault := amount_fault(amount):
                raise VenueFault(f"An amount of fill {fill.id} {fault}.")
    return Report(read.key, read.status, tuple(_fill(fill) for fill in read.fills))


def _fill(fill: Any) -> VenueFill:
    return VenueFill(fill.id, fill.quantity, fill.price, fill.fee, fill.fee_currency)
