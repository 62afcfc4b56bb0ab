"""A market of spot and perpetuals that moves with BTC's recorded hours, and accounts to lose by it."""

import csv
from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from margin.choices import RunReason
from margin.models import MarginRun
from margin.services.market import snapshot_accept
from margin.services.runs import run_start
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, AS_OF, demo_market_document, newest_run

CRASH: Final = Path(__file__).resolve().parents[2] / "../shared/data/crash_replay/hourly_2020-03_covid.csv"
SWAP: Final = "BTC-USDT-SWAP"
STEP: Final = timedelta(seconds=5)


def linear_market() -> dict[str, Any]:
    """The demo market without what expires."""
    market = demo_market_document()
    rows = [row for row in market["instruments"] if row["kind"] in ("spot", "perpetual")]
    return market | {"instruments": rows}


def moved(market: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """The market with every BTC price times a factor."""
    after = deepcopy(dict(market))
    after["index"] = {
        pair: price * factor if pair.startswith("BTC-") else price for pair, price in market["index"].items()
    }
    for row in after["instruments"]:
        if row["underlying"] == "BTC" and "mark" in row:
            row["mark"] *= factor
    return after


def recorded_closes(first: str, last: str) -> list[tuple[str, dict[str, float]]]:
    """(hour, close by coin) of the recorded hours from `first` to `last`."""
    hours: dict[str, dict[str, float]] = {}
    with CRASH.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if first <= row["ts_utc"] <= last:
                hours.setdefault(row["ts_utc"], {})[row["symbol"].removesuffix("USD")] = float(row["close"])
    return sorted(hours.items())


def recorded_factors(first: str, last: str) -> list[tuple[str, float]]:
    """(hour, BTC's close over its first) of the recorded hours from `first` to `last`."""
    closes = recorded_closes(first, last)
    return [(hour, close["BTC"] / closes[0][1]["BTC"]) for hour, close in closes]


def recorded_returns(first: str, last: str) -> Iterator[tuple[str, dict[str, float]]]:
    """(hour, close over the close before it, by coin) of the recorded hours after `first` to `last`."""
    for (_, before), (hour, close) in pairwise(recorded_closes(first, last)):
        yield hour, {coin: price / before[coin] for coin, price in close.items()}


def account_worth(
    usd: float, code: str, methodology: str = "okx-2025", *, orders: bool = True
) -> dict[str, Any]:
    """An account that holds BTC worth `usd` on the unmoved market, and an order if asked for."""
    price = linear_market()["index"]["BTC-USD"]
    order = {"instrument": SWAP, "side": "buy", "quantity": "1", "price": str(round(price * 0.4))}
    return {
        "id": code,
        "methodology": methodology,
        "balances": {"BTC": f"{usd / price:.8f}"},
        "positions": [],
        "orders": [order] if orders else [],
    }


def margined(market: Mapping[str, Any], as_of: datetime = AS_OF) -> MarginRun:
    """A completed run over a new snapshot of the market."""
    snapshot_accept(market=market, as_of=as_of, source="tests", actor=ACTOR)
    work_through(run_start(reason=RunReason.MANUAL))
    return newest_run()
