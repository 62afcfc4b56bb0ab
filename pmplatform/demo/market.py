"""An invented market that moves: four coins with spot, perpetuals, dated futures and options."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

import numpy as np

from pmplatform.demo.coins import COINS, Coin
from pmplatform.demo.continuing import listing_of, state_of
from pmplatform.demo.listing import Listing
from pmplatform.demo.options import Series, strikes_around
from pmplatform.demo.walk import SECONDS_PER_YEAR, State

_SIGNIFICANT_DIGITS: Final = 9


class DemoMarket:
    """A seeded market: the same seed, start and steps give the same documents.

    An instrument is listed until it expires, and new ones are as their time comes. `settlement` prices, by
    instrument, what has expired in the last step.
    """

    def __init__(self, seed: int, as_of: datetime) -> None:
        """Start at `as_of`, which must carry a time zone."""
        if as_of.tzinfo is None:
            raise ValueError("as_of must carry a time zone")
        self.as_of = as_of
        self.settlement: dict[str, float] = {}
        self._rng = np.random.default_rng(seed)
        self._state = State.first(self._rng)
        self._listing = Listing().at(as_of, self._list_series)

    @classmethod
    def continued(cls, seed: int, as_of: datetime, document: Mapping[str, Any]) -> Self:
        """The market of which this is the document as of a time: it lists the same, at the same prices."""
        market = cls(seed, as_of)
        market._rng = np.random.default_rng([seed, int(as_of.timestamp())])
        market._state = state_of(document, as_of)
        market._listing = listing_of(document)
        return market

    def step(
        self,
        seconds: float,
        factors: Mapping[str, float] | None = None,
        iv_rises: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        """Let `seconds` (positive) pass, and return the document of the new time.

        With `factors` nothing walks: the price of each coin and stable currency is multiplied by its own, or
        stays where it has none; `iv_rises` are added to the log of implied volatility, by coin.
        """
        if seconds <= 0:
            raise ValueError("seconds must be positive")
        later = self.as_of + timedelta(seconds=seconds)
        if factors is None:
            moved = self._state.moved(seconds, self._rng)
        else:
            moved = self._state.driven(factors, iv_rises or {})
        self.settlement = self._settlement(moved, later) if self._listing.has_expired(later) else {}
        self.as_of, self._state = later, moved
        self._listing = self._listing.at(later, self._list_series)
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
            "fx": {"USDT": _rounded(self._state.tether), "USDC": _rounded(self._state.usdc)},
            "instruments": instruments + self._options(),
        }

    def _settlement(self, moved: State, later: datetime) -> dict[str, float]:
        """What has expired by a later time settles at the mean of its index now and then."""
        prices: dict[str, float] = {}
        for row in self.document()["instruments"]:
            if "expiry" in row and datetime.fromisoformat(row["expiry"]) <= later:
                i = next(i for i, coin in enumerate(COINS) if coin.name == row["underlying"])
                mean = (_index(self._state, i, row["settle"]) + _index(moved, i, row["settle"])) / 2.0
                prices[row["id"]] = _rounded(mean)
        return prices

    def _list_series(self, coin: Coin, expiry: datetime) -> Series:
        forward = self._forward(COINS.index(coin), coin.option_settle, expiry)
        return Series(coin, expiry, strikes_around(coin, forward, self._years(expiry)))

    def _years(self, expiry: datetime) -> float:
        return (expiry - self.as_of).total_seconds() / SECONDS_PER_YEAR

    def _index(self, i: int, settle: str) -> float:
        return _index(self._state, i, settle)

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
            for expiry in self._listing.futures
        ]

    def _options(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for series in self._listing.series:
            i, settle = COINS.index(series.coin), series.coin.option_settle
            forward, spot = self._forward(i, settle, series.expiry), self._index(i, settle)
            rows += series.rows(forward, spot, float(self._state.iv_level[i]), self._years(series.expiry))
        return rows


def _index(state: State, i: int, settle: str) -> float:
    """Price of coin `i` in the quote currency of a settlement group."""
    rates = {"USDT": state.tether, "USDC": state.usdc}
    return _rounded(float(state.price[i]) / rates.get(settle, 1.0))


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
