"""An invented market that moves: four coins with spot, perpetuals, dated futures and options."""

from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from pmplatform.demo.coins import COINS, Coin
from pmplatform.demo.expiries import Ladder
from pmplatform.demo.options import Series, strikes_around
from pmplatform.demo.walk import SECONDS_PER_YEAR, State

_SIGNIFICANT_DIGITS: Final = 9


class DemoMarket:
    """A seeded market: the same seed, start and steps give the same documents.

    What is listed is settled at the start; instruments drop out of the documents as they expire.
    """

    def __init__(self, seed: int, as_of: datetime) -> None:
        """Start at `as_of`, which must carry a time zone."""
        if as_of.tzinfo is None:
            raise ValueError("as_of must carry a time zone")
        self.as_of = as_of
        self._rng = np.random.default_rng(seed)
        self._state = State.first(self._rng)
        ladder = Ladder.after(as_of)
        self._future_expiries = ladder.futures
        self._series = [
            (i, self._list_series(i, expiry))
            for i, coin in enumerate(COINS)
            if coin.option_settle
            for expiry in ladder.every
        ]

    def step(self, seconds: float) -> dict[str, Any]:
        """Let `seconds` (positive) pass, and return the document of the new time."""
        if seconds <= 0:
            raise ValueError("seconds must be positive")
        self._state = self._state.moved(seconds, self._rng)
        self.as_of += timedelta(seconds=seconds)
        return self.document()

    def document(self) -> dict[str, Any]:
        """The `market` object of a book document, as of `self.as_of`."""
        instruments: list[dict[str, Any]] = []
        for i, coin in enumerate(COINS):
            instruments += [_spot(coin, self._index(i, "USDT")), *self._perpetuals(i), *self._futures(i)]
        return {
            "index": {
                f"{coin.name}-{quote}": self._index(i, quote)
                for i, coin in enumerate(COINS)
                for quote in ("USD", "USDT", "USDC")
            },
            "fx": {"USDT": _rounded(self._state.tether), "USDC": 1.0},
            "instruments": instruments + self._options(),
        }

    def _list_series(self, i: int, expiry: datetime) -> Series:
        forward = self._forward(i, COINS[i].option_settle, expiry)
        return Series(COINS[i], expiry, strikes_around(COINS[i], forward, self._years(expiry)))

    def _years(self, expiry: datetime) -> float:
        return (expiry - self.as_of).total_seconds() / SECONDS_PER_YEAR

    def _index(self, i: int, settle: str) -> float:
        """Price of coin `i` in the quote currency of a settlement group."""
        return _rounded(float(self._state.price[i]) / (self._state.tether if settle == "USDT" else 1.0))

    def _forward(self, i: int, settle: str, expiry: datetime) -> float:
        growth = float(np.exp(self._state.carry[i] * self._years(expiry)))
        return _rounded(self._index(i, settle) * growth)

    def _perpetuals(self, i: int) -> list[dict[str, Any]]:
        coin, premium = COINS[i], 1.0 + float(self._state.premium[i])
        return [
            _delta_one(coin, "perpetual", settle, "SWAP", _rounded(self._index(i, settle) * premium))
            for settle in ("USDT", "USDC", coin.name)
        ]

    def _futures(self, i: int) -> list[dict[str, Any]]:
        coin = COINS[i]
        return [
            _delta_one(coin, "future", settle, f"{expiry:%y%m%d}", self._forward(i, settle, expiry))
            | {"expiry": expiry.strftime("%Y-%m-%dT%H:%M:%SZ")}
            for settle in ("USDT", coin.name)
            for expiry in self._future_expiries
            if expiry > self.as_of
        ]

    def _options(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for i, series in self._series:
            if series.expiry > self.as_of:
                settle = series.coin.option_settle
                forward, spot = self._forward(i, settle, series.expiry), self._index(i, settle)
                rows += series.rows(forward, spot, float(self._state.iv_level[i]), self._years(series.expiry))
        return rows


def _spot(coin: Coin, price: float) -> dict[str, Any]:
    return {
        "id": f"{coin.name}-USDT",
        "kind": "spot",
        "underlying": coin.name,
        "settle": "USDT",
        "contract_size": 1.0,
        "mark": price,
    }


def _delta_one(coin: Coin, kind: str, settle: str, suffix: str, mark: float) -> dict[str, Any]:
    inverse = settle == coin.name
    return {
        "id": f"{coin.name}-{'USD' if inverse else settle}-{suffix}",
        "kind": kind,
        "underlying": coin.name,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": coin.inverse_size if inverse else coin.linear_size,
        "mark": mark,
    }


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
