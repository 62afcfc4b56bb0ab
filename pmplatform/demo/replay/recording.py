"""Recorded markets, read from a file: the closing price of each currency, bar by bar.

Two layouts are known, plain or gzipped. In the *long* one a row is a bar of one `symbol` (`BTCUSD`,
`ETHUSDT`) with its `close`; in the *wide* one a row is a bar of all, in columns like `kraken_usdcusd_close`.
"""

import csv
import gzip
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from pmplatform.demo.coins import COINS

#: A coin is quoted in any of these; a stable currency in USD.
_QUOTES: Final = ("USDT", "USDC", "USD")
_SYMBOLS: Final = {f"{coin.name}{quote}": coin.name for coin in COINS for quote in _QUOTES}
_STABLE: Final = {"USDTUSD": "USDT", "USDCUSD": "USDC"}
_CLOSE: Final = "_close"

_Row = Mapping[str, str]


class RecordingFault(ValueError):
    """What keeps a file from being a recording."""


@dataclass(frozen=True)
class Bar:
    """Closing prices at a time; every bar of a recording has the same currencies."""

    at: datetime
    prices: Mapping[str, float]


def read_bars(path: Path) -> list[Bar]:
    """The bars of a recording, ascending; a price that a bar lacks is the last known one.

    Bars before every currency has a price are left out. A coin quoted in several currencies counts in the
    first one.

    Raises
    ------
    RecordingFault, OSError
    """
    times: dict[datetime, dict[str, float]] = {}
    try:
        with _opened(path) as lines:
            for at, currency, price in _prices(csv.DictReader(lines)):
                times.setdefault(at, {}).setdefault(currency, price)
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile) as error:
        raise RecordingFault(f"{path} cannot be read: {error}") from error
    bars = list(_carried_forward(times))
    if len(bars) < 2 or "BTC" not in bars[0].prices:
        raise RecordingFault(f"{path} has no two bars with a price of BTC")
    return bars


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _prices(rows: "csv.DictReader[str]") -> Iterator[tuple[datetime, str, float]]:
    """(time, currency, price) of whatever is known; a row of another symbol says nothing."""
    names = rows.fieldnames or ()
    if "ts_utc" not in names:
        raise RecordingFault("there is no column ts_utc")
    wide = {name: currency for name in names if (currency := _of_column(name))}
    for row in rows:
        quoted = {"close": _currency(row["symbol"] or "")} if "symbol" in names else wide
        for column, currency in quoted.items():
            if currency and row[column]:
                yield _time(row), currency, _price(row, column)


def _currency(symbol: str) -> str:
    """The currency that a symbol prices; empty where it is none of ours."""
    return _SYMBOLS.get(symbol) or _STABLE.get(symbol, "")


def _of_column(name: str) -> str:
    """The same of a column: `venue_btcusd_close`."""
    _, _, symbol = name.removesuffix(_CLOSE).rpartition("_")
    return _currency(symbol.upper()) if name.endswith(_CLOSE) else ""


def _time(row: _Row) -> datetime:
    try:
        at = datetime.fromisoformat(row["ts_utc"])
    except ValueError as error:
        raise RecordingFault(f"{row['ts_utc']!r} is no time") from error
    if at.tzinfo is None:
        raise RecordingFault(f"{row['ts_utc']} has no time zone")
    return at


def _price(row: _Row, column: str) -> float:
    try:
        price = float(row[column])
    except ValueError as error:
        raise RecordingFault(f"{row['ts_utc']}: {row[column]!r} is no price") from error
    if not (math.isfinite(price) and price > 0.0):
        raise RecordingFault(f"{row['ts_utc']}: {row[column]} is no price")
    return price


def _carried_forward(times: Mapping[datetime, Mapping[str, float]]) -> Iterator[Bar]:
    currencies = {currency for prices in times.values() for currency in prices}
    known: dict[str, float] = {}
    for at in sorted(times):
        known = {**known, **times[at]}
        if known.keys() == currencies:
            yield Bar(at, known)
