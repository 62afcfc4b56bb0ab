"""The market of the benchmark: three coins, each with perpetuals, futures and options of eleven expiries."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

import numpy as np

from margin.engine import black76
from margin.engine.documents.market import MarketRows, read_market
from margin.engine.documents.schema import Faults
from margin.engine.instruments import DAYS_PER_YEAR
from margin.engine.market import Market

AS_OF: Final = datetime(2025, 2, 3, 10, tzinfo=UTC)
SPOT: Final = {"BTC": 100_000.0, "ETH": 3_000.0, "SOL": 200.0}
_SIZE: Final = {"BTC": 0.01, "ETH": 0.1, "SOL": 1.0}
_FX: Final = {"USDT": 0.9996, "USDC": 1.0}
_CARRY: Final = 0.08
_DAYS: Final = (1, 2, 4, 11, 18, 25, 53, 81, 144, 235, 326)
_MONEYNESS: Final = np.linspace(0.5, 1.8, 32)


def market_document() -> dict[str, Any]:
    """The `market` object of a book document, with 2,154 derivatives; prices are those at `AS_OF`."""
    return {
        "index": {f"{coin}-USD": price for coin, price in SPOT.items()},
        "fx": dict(_FX),
        "instruments": [row for coin in SPOT for row in (*_perpetuals(coin), *_dated(coin))],
    }


@lru_cache(maxsize=1)
def market_rows() -> MarketRows:
    """The document as the platform reads it."""
    faults = Faults()
    rows = read_market(market_document(), AS_OF, "market", faults)
    faults.raise_if_any()
    assert rows is not None
    return rows


@lru_cache(maxsize=1)
def market() -> Market:
    """The market as the engine takes it."""
    return market_rows().to_market()


def _perpetuals(coin: str) -> Iterator[dict[str, Any]]:
    mark = SPOT[coin] * 1.001
    for settle, fx in _FX.items():
        yield _contract(f"{coin}-{settle}-SWAP", "perpetual", coin, settle, mark / fx)
    yield _contract(f"{coin}-USD-SWAP", "perpetual", coin, coin, mark)


def _dated(coin: str) -> Iterator[dict[str, Any]]:
    for days in _DAYS:
        expiry = AS_OF + timedelta(days=days, hours=-2)
        years = (expiry - AS_OF).total_seconds() / (86_400 * DAYS_PER_YEAR)
        forward = round(SPOT[coin] * (1.0 + _CARRY * years), 4)
        when = {"expiry": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}
        name = f"{coin}-USDT-{expiry:%y%m%d}"
        yield _contract(name, "future", coin, "USDT", forward / _FX["USDT"]) | when
        yield from (option | when for option in _options(coin, f"{coin}-USD-{expiry:%y%m%d}", forward, years))


def _options(coin: str, series: str, forward: float, years: float) -> Iterator[dict[str, Any]]:
    strikes = np.round(SPOT[coin] * _MONEYNESS, 2)
    iv = np.round(0.5 + 0.3 * np.log(strikes / forward) ** 2, 6)
    for kind, sign in (("call", 1.0), ("put", -1.0)):
        at, signs = np.full_like(strikes, forward), np.full_like(strikes, sign)
        marks = np.round(black76.value(at, strikes, iv * np.sqrt(years), signs) / SPOT[coin], 8)
        for strike, mark, vol in zip(strikes.tolist(), marks.tolist(), iv.tolist(), strict=True):
            terms = {"strike": strike, "option_type": kind, "mark_iv": vol, "forward": forward}
            name = f"{series}-{strike:.10g}-{kind[0].upper()}"
            yield _contract(name, "option", coin, coin, max(mark, 0.0)) | terms


def _contract(name: str, kind: str, coin: str, settle: str, mark: float) -> dict[str, Any]:
    inverse = settle == coin
    return {
        "id": name,
        "kind": kind,
        "underlying": coin,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": 100.0 if inverse and kind != "option" else _SIZE[coin],
        "mark": mark,
    }
