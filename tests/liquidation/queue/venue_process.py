"""A venue as an own process: takes signed orders over HTTP, and misbehaves as it is told.

Run with the secret and a manner; the first line is its port. `GET /executions` tells the test, unsigned, what
was really traded, order by order.

- `honest`: fills every order whole, at its limit.
- `late`: does so, and answers the first request for it only when nobody waits any more.
- `deaf`: hangs up on the first request for an order, which it forgets.
- `twice`: fills once and reports the fill twice.
- `greedy`: trades every order twice over.
- `partly`: fills half, and cancels the rest.
- `slow`: reports half at first, the rest when it is asked.
- `choosy`: rejects every other order.
- `forged`: signs with another secret.
"""

import json
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pmplatform.common.signing import signature_headers, signature_holds

Order = dict[str, Any]
LATE_SECONDS = 1.5


class Venue:
    """The book of the venue: what was asked for, and what was traded."""

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.reports: dict[str, Order] = {}
        self.requests: Counter[str] = Counter()
        self.placed = 0

    def place(self, terms: Order) -> Order:
        """Trade an order; one that is known already is only told of again."""
        key = terms["key"]
        if key not in self.reports:
            self.placed += 1
            self.reports[key] = self._traded(terms)
        return self.reports[key]

    def ask(self, key: str) -> Order | None:
        report = self.reports.get(key)
        if report and report["status"] == "open":
            first = report["fills"][0]
            report["status"] = "filled"
            report["fills"] = [first, first | {"id": f"{first['id']}-rest"}]
        return report

    def _traded(self, terms: Order) -> Order:
        quantity, name = Decimal(terms["quantity"]), f"{terms['instrument']}-{self.placed}"
        if self.manner == "choosy" and self.placed % 2:
            return self._report(terms, "rejected", [])
        if self.manner in ("partly", "slow"):
            status = "cancelled" if self.manner == "partly" else "open"
            return self._report(terms, status, [_fill(terms, name, quantity / 2)])
        fill = _fill(terms, name, quantity)
        repeated = {"twice": [fill], "greedy": [fill | {"id": f"{name}-more"}]}.get(self.manner, [])
        return self._report(terms, "filled", [fill, *repeated])

    def _report(self, terms: Order, status: str, fills: list[Order]) -> Order:
        return {"key": terms["key"], "status": status, "fills": fills}

    def executions(self) -> dict[str, str]:
        """What was traded by order, every fill of a name once."""
        return {
            key: str(
                sum(Decimal(fill["quantity"]) for fill in {f["id"]: f for f in report["fills"]}.values())
            )
            for key, report in self.reports.items()
        }


def _fill(terms: Order, name: str, quantity: Decimal) -> Order:
    return {
        "id": name,
        "quantity": str(quantity),
        "price": terms["limit_price"],
        "fee": "1",
        "fee_currency": "USDT",
    }


class Handler(BaseHTTPRequestHandler):
    venue: Venue
    secret: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._is_signed(body):
            self._answer(403, {"detail": "not signed"})
            return
        terms = json.loads(body)
        self.venue.requests[terms["key"]] += 1
        is_first = self.venue.requests[terms["key"]] == 1
        if self.venue.manner == "deaf" and is_first:
            self.close_connection = True
            return
        report = self.venue.place(terms)
        if self.venue.manner == "late" and is_first:
            time.sleep(LATE_SECONDS)
        self._answer(200, report)

    def do_GET(self) -> None:
        if self.path == "/executions":
            self._answer(200, self.venue.executions())
            return
        report = self.venue.ask(self.path.rsplit("/", 1)[1]) if self._is_signed(b"") else None
        self._answer(404 if report is None else 200, report or {"detail": "no such order"})

    def log_message(self, format: str, *args: object) -> None:
        """Standard output is for the port."""

    def _is_signed(self, body: bytes) -> bool:
        headers = {name: str(value) for name, value in self.headers.items()}
        return signature_holds(secret=self.secret, headers=headers, body=body, now=datetime.now(UTC))

    def _answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        secret = "another" if self.venue.manner == "forged" else self.secret
        self.send_response(status)
        for name, value in signature_headers(secret=secret, body=body, now=datetime.now(UTC)).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Handler.secret, Handler.venue = sys.argv[1], Venue(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
