"""Reading a demo market back from its last document, so that it goes on where it stood.

Inverts what `DemoMarket.document` writes; exact to the digits that a document has.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import numpy as np

from pmplatform.demo.coins import COINS, Coin
from pmplatform.demo.listing import Listing
from pmplatform.demo.options import Series, smile
from pmplatform.demo.walk import SECONDS_PER_YEAR, State

_Row = Mapping[str, Any]
#: The only level of volatility for a coin that lists no options.
_NO_LEVEL: Final = 0.0


def state_of(document: Mapping[str, Any], as_of: datetime) -> State:
    """The state whose document, as of a time, this is."""
    rows: dict[str, _Row] = {row["id"]: row for row in document["instruments"]}
    price = np.array([document["index"][f"{coin.name}-USD"] for coin in COINS])
    swaps = np.array([rows[f"{coin.name}-USD-SWAP"]["mark"] for coin in COINS])
    return State(
        price=price,
        iv_level=np.array([_iv_level(coin, document, as_of) for coin in COINS]),
        carry=np.array([_carry(coin, document, as_of) for coin in COINS]),
        premium=swaps / price - 1.0,
        tether=document["fx"]["USDT"],
        usdc=document["fx"]["USDC"],
    )


def listing_of(document: Mapping[str, Any]) -> Listing:
    """What a document lists."""
    futures = {_expiry(row) for row in document["instruments"] if row["kind"] == "future"}
    return Listing(
        futures=tuple(sorted(futures)),
        series=tuple(series for coin in COINS for series in _series(coin, document)),
    )


def _series(coin: Coin, document: Mapping[str, Any]) -> Iterator[Series]:
    strikes: dict[datetime, set[float]] = {}
    for row in _rows(document, "option", coin):
        strikes.setdefault(_expiry(row), set()).add(row["strike"])
    for expiry in sorted(strikes):
        yield Series(coin, expiry, np.array(sorted(strikes[expiry])))


def _carry(coin: Coin, document: Mapping[str, Any], as_of: datetime) -> float:
    """From the inverse future with the longest term, in which the fewest digits are lost."""
    inverse = [row for row in _rows(document, "future", coin) if row["settle"] == coin.name]
    last = max(inverse, key=_expiry)
    growth = last["mark"] / document["index"][f"{coin.name}-USD"]
    return float(np.log(growth)) / _years(last, as_of)


def _iv_level(coin: Coin, document: Mapping[str, Any], as_of: datetime) -> float:
    """From any option: every volatility of a coin is its smile times one factor."""
    option = next(_rows(document, "option", coin), None)
    if option is None:
        return _NO_LEVEL
    moneyness = np.array([option["strike"] / option["forward"]])
    [usual] = smile(coin, moneyness, 0.0, _years(option, as_of))
    return float(np.log(option["mark_iv"] / usual))


def _rows(document: Mapping[str, Any], kind: str, coin: Coin) -> Iterator[_Row]:
    return (row for row in document["instruments"] if (row["kind"], row["underlying"]) == (kind, coin.name))


def _expiry(row: _Row) -> datetime:
    return datetime.fromisoformat(row["expiry"])


def _years(row: _Row, as_of: datetime) -> float:
    return (_expiry(row) - as_of).total_seconds() / SECONDS_PER_YEAR
