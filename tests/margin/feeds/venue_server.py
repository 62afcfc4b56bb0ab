"""Venues on loopback: they list what was recorded, and quote it in the shapes of their documentation.

The recordings hold instruments and one option summary; tickers, marks and indices are written here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from pmplatform.embedded.process import LOOPBACK

RECORDED: Final = Path(__file__).resolve().parents[3] / "../shared/data/venue_responses"
#: 2024-12-16 10:00 UTC, in milliseconds; messages of one look come a second apart.
NOW: Final = 1_734_343_200_000

Query = Mapping[str, str]
Answers = Callable[[str, Query], Any]


def recorded(name: str) -> Any:
    """A recorded message."""
    return json.loads((RECORDED / f"nautilus_{name}.json").read_text(encoding="utf-8"))


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """A venue that gives these answers; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            body = json.dumps(answers(target.path, dict(parse_qsl(target.query)))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer((LOOPBACK, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_port}"
        server.shutdown()
        thread.join()


def okx(path: str, query: Query) -> Any:
    """OKX: perpetuals, futures and options as recorded; some of them are not quoted."""
    if path.endswith("/public/instruments"):
        kind = {"FUTURES": "futures", "SWAP": "swap", "OPTION": "option", "SPOT": "spot"}[query["instType"]]
        wanted = query.get("uly")
        answer = recorded(f"okx_http_get_instruments_{kind}")
        return {**answer, "data": [row for row in answer["data"] if wanted in (None, row["uly"])]}
    rows: list[dict[str, str]]
    if path.endswith("/market/index-tickers"):
        prices = {"USD": {"BTC": "106000.1", "ETH": "4000.2", "USDT": "0.9995", "USDC": "1.0001"},
                  "USDT": {"BTC": "106053.1"}, "USDC": {"BTC": "105989.5"}}[query["quoteCcy"]]  # fmt: skip
        quoted = query["quoteCcy"]
        rows = [{"instId": f"{coin}-{quoted}", "idxPx": price} for coin, price in prices.items()]
        return _okx_answer(rows, NOW + 1_000)
    if path.endswith("/public/mark-price"):
        marks = {
            "SWAP": {"BTC-USD-SWAP": "106010", "BTC-USDT-SWAP": "106060.5", "ETH-USDT-SWAP": "4003"},
            "FUTURES": {"BTC-USD-241220": "106100", "BTC-USD-241227": "106300", "BTC-USD-250328": ""},
            "OPTION": {"BTC-USD-241217-92000-C": "0.1319", "BTC-USD-241217-92000-P": "0.0001",
                       "BTC-USD-241217-94000-C": "0.1130"},
        }[query["instType"]]  # fmt: skip
        return _okx_answer([{"instId": name, "markPx": mark} for name, mark in marks.items()], NOW)
    assert path.endswith("/public/opt-summary"), path
    summaries = recorded("okx_ws_opt_summary") if query["instFamily"] == "BTC-USD" else []
    renamed = [{**row, "instId": row["instId"].replace("250328", "241217")} for row in summaries]
    return _okx_answer(renamed, NOW + 2_000)


def _okx_answer(rows: list[dict[str, str]], at: int) -> Any:
    return {"code": "0", "msg": "", "data": [{**row, "ts": str(at)} for row in rows]}


def bybit(path: str, query: Query) -> Any:
    """Bybit: its instruments as recorded, each category by itself."""
    category = query["category"]
    if path.endswith("/instruments-info"):
        answer = recorded(f"bybit_http_get_instruments_{category}") if category != "spot" else _bybit([])
        rows = [] if "status" in query else answer["result"]["list"]
        coin = query.get("baseCoin")
        return _bybit([row for row in rows if coin in (None, row["baseCoin"])])
    tickers = {
        "linear": [{"symbol": "BTCUSDT", "markPrice": "106060.5", "indexPrice": "106053.1"},
                   {"symbol": "ETHUSDT", "markPrice": "4003", "indexPrice": "4002.2"}],
        "inverse": [{"symbol": "BTCUSD", "markPrice": "106010", "indexPrice": "106000.1"}],
        "option": [{"symbol": "ETH-26JUN26-16000-P", "markPrice": "12011.5", "indexPrice": "4000.2",
                    "markIv": "0.7412", "underlyingPrice": "4123.45"}],
    }  # fmt: skip
    return _bybit(tickers[category] if query.get("baseCoin") != "BTC" else [])


def _bybit(rows: list[Any]) -> Any:
    return {"retCode": 0, "retMsg": "OK", "result": {"list": rows}, "retExtInfo": {}, "time": NOW}


def deribit(path: str, query: Query) -> Any:
    """Deribit: its instruments as recorded, among them a combination, which is nothing to be margined."""
    if path.endswith("/get_instruments"):
        return recorded("deribit_http_get_instruments")
    if path.endswith("/get_index_price_names"):
        return _deribit(["btc_usd", "btc_usdt", "btc_usdc", "eth_btc"])
    if path.endswith("/get_index_price"):
        prices = {"btc_usd": 106_000.1, "btc_usdt": 106_053.1, "btc_usdc": 105_989.5}
        return _deribit({"index_price": prices[query["index_name"]]})
    assert path.endswith("/get_book_summary_by_currency"), path
    option = {"mark_price": 0.0815, "mark_iv": 55.3, "underlying_price": 106_512.4}
    return _deribit(
        [
            {"instrument_name": "BTC-PERPETUAL", "mark_price": 106_010.0},
            {"instrument_name": "BTC-27DEC24", "mark_price": 106_300.0},
            {"instrument_name": "BTC-27DEC24-100000-C", **option},
        ]
    )


def _deribit(result: Any) -> Any:
    return {"jsonrpc": "2.0", "result": result, "usIn": 0, "usOut": NOW * 1_000, "usDiff": 1}
