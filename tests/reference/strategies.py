"""Random valid book documents.

Hypothesis draws what is worth shrinking (coins, counts, version) and one seed; a seeded generator fills in
the rest, which keeps a draw of a large book cheap.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

Document = dict[str, Any]

PARAMETERS: Final = Path(__file__).resolve().parents[2] / "margin" / "parameters"
PRICES: Final = {"BTC": 97_000.0, "ETH": 3_300.0, "SOL": 190.0, "AVAX": 36.0}
HEDGE_MODES: Final[dict[str, tuple[str | None, ...]]] = {
    "okx-2025": (None, "spot_hedge"),
    "okx-classic": (None, "derivatives_only", "spot_usdt", "spot_usdc", "spot_crypto"),
    "bybit-uta": (None, "spot_hedge", "spot_hedge", "derivatives_only"),
    "standard": (None,),
}
AS_OF: Final = datetime(2025, 2, 1, 7, 30, tzinfo=UTC)
EXPIRIES: Final = (
    timedelta(minutes=11),
    timedelta(minutes=30),
    timedelta(hours=24, minutes=30),
    timedelta(days=6),
    timedelta(days=55),
    timedelta(days=145),
    timedelta(days=420),
)
STABLE: Final = ("USDT", "USDC")


def parameter_versions(methodology: str) -> list[Document]:
    """The stored parameter documents of a methodology, oldest first."""
    document = json.loads((PARAMETERS / f"{methodology}.json").read_text(encoding="utf-8"))
    versions: list[Document] = document["versions"]
    return versions


def parameters_of(book: Document) -> Document:
    """The stored parameter document that a book names."""
    versions = {item["version"]: item for item in parameter_versions(book["methodology"])}
    return versions[book["parameters"]]


@st.composite
def books(draw: st.DrawFn, methodology: str) -> Document:
    """A valid book document that names one of the methodology's stored versions."""
    coins = draw(st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=3, unique=True))
    version = draw(st.sampled_from([item["version"] for item in parameter_versions(methodology)]))
    positions, orders = draw(st.integers(0, 10)), draw(st.integers(0, 5))
    rng = Random(draw(st.integers(0, 2**32 - 1)))
    market = random_market(rng, coins)
    return {
        "as_of": AS_OF.isoformat().replace("+00:00", "Z"),
        "methodology": methodology,
        "parameters": version,
        "market": market,
        "account": random_account(rng, methodology, coins, market["instruments"], positions, orders),
    }


def random_market(rng: Random, coins: Sequence[str]) -> Document:
    fx = {"USDT": stable_price(rng), "USDC": stable_price(rng)}
    spots = {coin: round(PRICES[coin] * rng.uniform(0.5, 1.5), 3) for coin in coins}
    index = {f"{coin}-USD": number(rng, spot) for coin, spot in spots.items()}
    for coin, spot in spots.items():
        for quote in STABLE:
            if rng.random() < 0.7:
                index[f"{coin}-{quote}"] = number(rng, round(spot / fx[quote] * rng.uniform(0.998, 1.002), 3))
    instruments = [item for coin in coins for item in random_instruments(rng, coin, spots[coin])]
    return {
        "index": index,
        "fx": {name: number(rng, rate) for name, rate in fx.items()},
        "instruments": instruments,
    }


def stable_price(rng: Random) -> float:
    return rng.choice((1.0, round(rng.uniform(0.995, 1.003), 5), round(rng.uniform(0.8, 1.0), 4)))


def random_instruments(rng: Random, coin: str, spot: float) -> list[Document]:
    """A coin's spot pairs, perpetuals and futures of every settlement, and some options."""
    items: list[Document] = [
        {"id": f"{coin}-{quote}", "kind": "spot", "underlying": coin, "settle": quote} for quote in STABLE
    ]
    items += [random_future(rng, coin, settle, spot, None) for settle in (*STABLE, coin)]
    items += [
        random_future(rng, coin, settle, spot, rng.choice(EXPIRIES))
        for settle in rng.sample((*STABLE, coin), 2)
    ]
    options = [random_option(rng, coin, spot) for _ in range(8)]
    return [*items, *{item["id"]: item for item in options}.values()]


def random_future(rng: Random, coin: str, settle: str, spot: float, left: timedelta | None) -> Document:
    """A perpetual, or a future with ``left`` to go."""
    inverse = settle == coin
    sizes = (1, 10, 100) if inverse else (0.01, 0.1, 1)
    item = {
        "id": f"{coin}-{settle}-{'SWAP' if left is None else code(left)}",
        "kind": "perpetual" if left is None else "future",
        "underlying": coin,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": number(rng, rng.choice(sizes)),
        "mark": number(rng, round(spot * rng.uniform(0.93, 1.08), 3)),
    }
    return item if left is None else item | {"expiry": instant(left)}


def random_option(rng: Random, coin: str, spot: float) -> Document:
    """An option; one in five has no volatility, which makes its delta exactly 0 or 1 in size."""
    settle, left = rng.choice((*STABLE, coin)), rng.choice(EXPIRIES)
    forward = round(spot * rng.uniform(0.95, 1.06), 3)
    strike = float(f"{spot * rng.choice((0.7, 0.9, 0.97, 1.0, 1.03, 1.1, 1.4)):.3g}")
    option_type = rng.choice(("call", "put"))
    value = max(0.0, forward - strike if option_type == "call" else strike - forward)
    value += spot * rng.choice((0.0, 0.001, 0.03))
    return {
        "id": f"{coin}-{settle}-{code(left)}-{strike:g}-{option_type[0].upper()}",
        "kind": "option",
        "underlying": coin,
        "style": "inverse" if settle == coin else "linear",
        "settle": settle,
        "contract_size": number(rng, rng.choice((0.01, 0.1, 1))),
        "expiry": instant(left),
        "strike": number(rng, strike),
        "option_type": option_type,
        "mark": number(rng, round(value / spot if settle == coin else value, 6)),
        "mark_iv": 0 if rng.random() < 0.2 else number(rng, round(rng.uniform(0.2, 1.8), 4)),
        "forward": number(rng, forward),
    }


def random_account(
    rng: Random,
    methodology: str,
    coins: Sequence[str],
    instruments: Sequence[Document],
    positions: int,
    orders: int,
) -> Document:
    """An account whose rows come from a few instruments, so that several share one."""
    derivatives = [item for item in instruments if item["kind"] != "spot"]
    spot = [item for item in instruments if item["kind"] == "spot"]
    pool = rng.sample(derivatives, min(len(derivatives), rng.choice((2, 5, 12))))
    size = 10.0 ** rng.randint(-1, 3)
    return {
        "id": "A-1",
        "hedge_mode": rng.choice(HEDGE_MODES[methodology]),
        "hedge_limits": {coin: random_limit(rng) for coin in coins if rng.random() < 0.4},
        "balances": random_balances(rng, coins),
        "positions": [random_position(rng, rng.choice(pool), size) for _ in range(positions)],
        "orders": [
            random_order(rng, rng.choice(spot if rng.random() < 0.3 else pool), size) for _ in range(orders)
        ],
    }


def random_limit(rng: Random) -> Document:
    amount = rng.choice((None, 0, round(rng.uniform(0.0, 5.0), 3)))
    return {"ratio": rng.choice((0, 0.25, "0.5", 1.0)), "max_amount": amount}


def random_balances(rng: Random, coins: Sequence[str]) -> Document:
    balances: Document = {}
    for name in ("USD", *STABLE, *coins):
        if rng.random() < 0.6:
            worth = rng.choice((0.0, 1.0, 1.0, -0.3)) * 10.0 ** rng.uniform(2.0, 7.0)
            balances[name] = number(rng, round(worth / PRICES.get(name, 1.0), 4))
    return balances


def random_position(rng: Random, instrument: Document, size: float) -> Document:
    quantity = rng.choice((-1, 1)) * random_quantity(rng, size) if rng.random() < 0.95 else 0
    return {
        "instrument": instrument["id"],
        "quantity": number(rng, quantity),
        "entry_price": number(rng, random_price(rng, instrument)),
    }


def random_order(rng: Random, instrument: Document, size: float) -> Document:
    return {
        "instrument": instrument["id"],
        "side": rng.choice(("buy", "sell")),
        "quantity": number(rng, random_quantity(rng, size)),
        "price": number(rng, random_price(rng, instrument)),
    }


def random_quantity(rng: Random, size: float) -> float:
    """Positive; round numbers often, so that rows of one instrument can cancel."""
    return rng.choice((size, size, 2.0 * size, round(size * rng.uniform(0.1, 5.0), 3)))


def random_price(rng: Random, instrument: Document) -> float:
    """Near the mark; a spot instrument is not marked."""
    mark = float(instrument.get("mark", PRICES[instrument["underlying"]]))
    return round(mark * rng.uniform(0.8, 1.25), 6)


def number(rng: Random, value: float) -> float | str:
    """A JSON number or the decimal string that spells it."""
    return str(value) if rng.random() < 0.5 else value


def instant(left: timedelta) -> str:
    return (AS_OF + left).isoformat().replace("+00:00", "Z")


def code(left: timedelta) -> str:
    """Expiry as it stands in an instrument id."""
    return (AS_OF + left).strftime("%y%m%d%H%M")
