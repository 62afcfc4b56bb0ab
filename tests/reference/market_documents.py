"""Random markets: indices, stable coins and instruments of every kind, as documents."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from tests.reference import black76
from tests.reference.valuation import YEAR_SECONDS

Document = dict[str, Any]

STABLE: Final = ("USDT", "USDC")
PRICES: Final = {"BTC": 97_000.0, "ETH": 3_300.0, "SOL": 190.0, "AVAX": 36.0, "PEPE": 0.000_02}
EXPIRIES: Final = (
    timedelta(seconds=40),
    timedelta(minutes=11),
    timedelta(minutes=30),
    timedelta(days=1),
    timedelta(hours=24, minutes=30),
    timedelta(days=6),
    timedelta(days=55),
    timedelta(days=145),
    timedelta(days=420),
)
TAIL: Final = (8.0, 39.0)
"""|d1| between which a tail probability is lost or not by the way a delta is rounded: no book has such an
option, since whether its delta is exactly zero decides which order sets it joins."""


def random_market(rng: Random, as_of: datetime, coins: Sequence[str], quotes: Sequence[str]) -> Document:
    """The market part of a book; pair indices are left out now and then, stable coins off their peg."""
    fx = {quote: stable_price(rng) for quote in quotes}
    spots = {coin: rounded(PRICES[coin] * rng.uniform(0.5, 1.5)) for coin in coins}
    index = {f"{coin}-USD": number(rng, spot) for coin, spot in spots.items()}
    for coin, spot in spots.items():
        for quote in quotes:
            if rng.random() < 0.7:
                index[f"{coin}-{quote}"] = number(rng, rounded(spot / fx[quote] * rng.uniform(0.998, 1.002)))
    return {
        "index": index,
        "fx": {quote: number(rng, rate) for quote, rate in fx.items()},
        "instruments": [
            item for coin in coins for item in random_instruments(rng, as_of, coin, spots[coin], quotes)
        ],
    }


def stable_price(rng: Random) -> float:
    return rng.choice((1.0, round(rng.uniform(0.995, 1.003), 5), round(rng.uniform(0.75, 1.0), 4)))


def random_instruments(
    rng: Random, as_of: datetime, coin: str, spot: float, quotes: Sequence[str]
) -> list[Document]:
    """A coin's spot pairs, perpetuals and futures of every settlement, and some options."""
    settles = (*quotes, coin)
    items: list[Document] = [
        {"id": f"{coin}-{quote}", "kind": "spot", "underlying": coin, "settle": quote}
        for quote in ("USD", *quotes)
    ]
    items += [random_future(rng, coin, settle, spot, None) for settle in settles]
    items += [
        random_future(rng, coin, settle, spot, as_of + rng.choice(EXPIRIES))
        for settle in rng.sample(settles, 2)
    ]
    options = [random_option(rng, as_of, coin, spot, rng.choice(settles)) for _ in range(8)]
    return [*items, *{item["id"]: item for item in options}.values()]


def random_future(rng: Random, coin: str, settle: str, spot: float, expiry: datetime | None) -> Document:
    """A perpetual, or a future; one in twenty is far off the index."""
    inverse = settle == coin
    basis = rng.choice((0.3, 2.6)) if rng.random() < 0.05 else rng.uniform(0.93, 1.08)
    size = rng.choice((1, 10, 100)) if inverse else rng.choice((0.01, 0.1, 1)) * contract_scale(coin)
    item = {
        "id": f"{coin}-{settle}-{'SWAP' if expiry is None else code(expiry)}",
        "kind": "perpetual" if expiry is None else "future",
        "underlying": coin,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": number(rng, size),
        "mark": number(rng, rounded(spot * basis)),
    }
    return item if expiry is None else item | {"expiry": iso(expiry)}


def random_option(rng: Random, as_of: datetime, coin: str, spot: float, settle: str) -> Document:
    """An option marked near its model value; some have no volatility or no value left."""
    left, option_type = rng.choice(EXPIRIES), rng.choice(("call", "put"))
    years = left.total_seconds() / YEAR_SECONDS
    forward = rounded(spot * rng.uniform(0.95, 1.06))
    vol = 0.0 if rng.random() < 0.1 else round(rng.uniform(0.2, 1.8), 4)
    strike = random_strike(rng, forward, vol * math.sqrt(years))
    if vol and TAIL[0] < abs(black76.first_moment(forward, strike, vol * math.sqrt(years))) < TAIL[1]:
        vol = 0.0
    value = black76.value(option_type, forward, strike, vol, years) * rng.choice((0.0, 0.9, 1.0, 1.0, 1.1))
    return {
        "id": f"{coin}-{settle}-{code(as_of + left)}-{strike:g}-{option_type[0].upper()}",
        "kind": "option",
        "underlying": coin,
        "style": "inverse" if settle == coin else "linear",
        "settle": settle,
        "contract_size": number(rng, rng.choice((0.01, 0.1, 1)) * contract_scale(coin)),
        "expiry": iso(as_of + left),
        "strike": number(rng, strike),
        "option_type": option_type,
        "mark": number(rng, rounded(value / forward if settle == coin else value)),
        "mark_iv": number(rng, vol),
        "forward": number(rng, forward),
    }


def random_strike(rng: Random, forward: float, width: float) -> float:
    """At the money, some standard deviations away, or at a round distance whatever the time left."""
    away = rng.choice((0.0, width, -width, 2.5 * width, -2.5 * width, -0.36, -0.03, 0.03, 0.34))
    return rounded(forward * math.exp(away))


def contract_scale(coin: str) -> int:
    """Coins in the largest linear contract: a power of ten worth something, for cheap coins too."""
    return int(10 ** min(6, round(math.log10(PRICES["BTC"] / PRICES[coin]))))


def rounded(value: float) -> float:
    """Seven significant digits, as a venue would print."""
    return float(f"{value:.7g}")


def number(rng: Random, value: float) -> float | str:
    """A JSON number or the decimal string that spells it."""
    return str(value) if rng.random() < 0.5 else value


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def code(expiry: datetime) -> str:
    """Expiry as it stands in an instrument id."""
    return expiry.strftime("%y%m%d%H%M%S")
