"""Recorded Deribit option chains (CSV) as the market object of a book document.

A chain names coin-settled options with mark, IV and forward. Perpetuals and dated futures, linear and
inverse, are derived from the chain's own index and forwards: perpetuals mark at the index, a future at the
median forward of its expiry.
"""

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Final

from margin.engine.errors import DocumentError, Fault

_REQUIRED: Final = (
    "timestamp",
    "instrument_name",
    "underlying",
    "option_type",
    "strike",
    "expiry_datetime",
    "mark_price",
    "implied_volatility",
    "currency",
    "index_price",
)
#: Contract sizes of the derived contracts: USD for inverse ones, coins for linear ones and options.
_INVERSE_SIZE: Final = {"BTC": 10, "ETH": 1}
_LINEAR_SIZE: Final = {"BTC": 0.001, "ETH": 0.01}
_OPTION_SIZE: Final = 1
_STABLE: Final = ("USDT", "USDC")


@dataclass(frozen=True)
class Chain:
    """A chain read: the market object, and the newest row's time."""

    as_of: datetime
    market: dict[str, Any]


def read_chain(lines: Iterable[str], fx: Mapping[str, float] | None = None) -> Chain:
    """Read a chain; `fx` gives USD per stable coin where it is not 1.

    Raises
    ------
    DocumentError
        Naming the line and column of every value that cannot be read.
    """
    rows = list(csv.DictReader(lines))
    _check(rows)
    rates = {name: float((fx or {}).get(name, 1.0)) for name in _STABLE}
    coins = sorted({row["currency"] for row in rows})
    index = {
        coin: median(float(row["index_price"]) for row in rows if row["currency"] == coin) for coin in coins
    }
    forwards = _forwards(rows)
    instruments = [_option(row) for row in rows]
    for coin in coins:
        instruments += _spot(coin) + _perpetuals(coin, index[coin], rates)
        for expiry, forward in sorted(forwards[coin].items()):
            instruments += _futures(coin, expiry, forward, rates)
    market = {
        "index": {f"{coin}-USD": index[coin] for coin in coins},
        "fx": rates,
        "instruments": sorted(instruments, key=lambda row: str(row["id"])),
    }
    return Chain(max(datetime.fromisoformat(row["timestamp"]) for row in rows), market)


def _check(rows: list[dict[str, str]]) -> None:
    if not rows:
        raise DocumentError([Fault("line 1", "the file holds no rows")])
    faults = [Fault("line 1", f"column {name} is missing") for name in _REQUIRED if name not in rows[0]]
    if faults:
        raise DocumentError(faults)
    for line, row in enumerate(rows, start=2):
        for name in ("underlying", "strike", "mark_price", "implied_volatility", "index_price"):
            try:
                if not float("-inf") < float(row[name]) < float("inf"):
                    faults.append(Fault(f"line {line}", f"{name} is not finite"))
            except (TypeError, ValueError):
                faults.append(Fault(f"line {line}", f"{name} is not a number: {row[name]!r}"))
    if faults:
        raise DocumentError(faults)


def _forwards(rows: list[dict[str, str]]) -> dict[str, dict[str, float]]:
    """Median forward by coin and expiry."""
    seen: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        seen[row["currency"]][row["expiry_datetime"]].append(float(row["underlying"]))
    return {
        coin: {expiry: median(values) for expiry, values in ladder.items()} for coin, ladder in seen.items()
    }


def _option(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": row["instrument_name"],
        "kind": "option",
        "underlying": row["currency"],
        "style": "inverse",
        "settle": row["currency"],
        "contract_size": _OPTION_SIZE,
        "expiry": row["expiry_datetime"],
        "strike": float(row["strike"]),
        "option_type": row["option_type"],
        "mark": float(row["mark_price"]),
        "mark_iv": float(row["implied_volatility"]),
        "forward": float(row["underlying"]),
    }


def _spot(coin: str) -> list[dict[str, Any]]:
    return [
        {"id": f"{coin}-{quote}", "kind": "spot", "underlying": coin, "settle": quote} for quote in _STABLE
    ]


def _contract(name: str, coin: str, kind: str, settle: str, mark: float, **fields: str) -> dict[str, Any]:
    inverse = settle == coin
    sizes = _INVERSE_SIZE if inverse else _LINEAR_SIZE
    return {
        "id": name,
        "kind": kind,
        "underlying": coin,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": sizes.get(coin, 1),
        "mark": mark,
        **fields,
    }


def _perpetuals(coin: str, index: float, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    inverse = _contract(f"{coin}-PERPETUAL", coin, "perpetual", coin, index)
    linear = [
        _contract(f"{coin}_{quote}-PERPETUAL", coin, "perpetual", quote, index / rates[quote])
        for quote in _STABLE
    ]
    return [inverse, *linear]


def _futures(coin: str, expiry: str, forward: float, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    moment = datetime.fromisoformat(expiry)
    day = f"{moment.day}{moment:%b%y}".upper()
    inverse = _contract(f"{coin}-{day}", coin, "future", coin, forward, expiry=expiry)
    linear = _contract(f"{coin}_USDT-{day}", coin, "future", "USDT", forward / rates["USDT"], expiry=expiry)
    return [inverse, linear]
