"""Random valid book documents.

Hypothesis draws what is worth shrinking (coins, counts, version) and one seed; a seeded generator fills in
the rest, which keeps a draw of a large book cheap.
"""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from tests.reference.market_documents import (
    PRICES,
    STABLE,
    Document,
    contract_scale,
    iso,
    number,
    random_market,
    rounded,
)

PARAMETERS: Final = Path(__file__).resolve().parents[2] / "margin" / "parameters"
LAST_SEEN: Final = datetime(2027, 1, 1, tzinfo=UTC)
HEDGE_MODES: Final[dict[str, tuple[str | None, ...]]] = {
    "okx-2025": (None, "spot_hedge"),
    "okx-classic": (None, "derivatives_only", "spot_usdt", "spot_usdc", "spot_crypto"),
    "bybit-uta": (None, "spot_hedge", "spot_hedge", "derivatives_only"),
    "standard": (None,),
}


@cache
def parameter_versions(methodology: str) -> tuple[Document, ...]:
    """The stored parameter documents of a methodology, oldest first."""
    document = json.loads((PARAMETERS / f"{methodology}.json").read_text(encoding="utf-8"))
    return tuple(document["versions"])


def parameters_of(book: Document) -> Document:
    """The stored parameter document that a book names."""
    versions = {item["version"]: item for item in parameter_versions(book["methodology"])}
    return versions[book["parameters"]]


@st.composite
def books(draw: st.DrawFn, methodology: str) -> Document:
    """A valid book document that names the version in force at its own ``as_of``."""
    coins = draw(st.lists(st.sampled_from(sorted(PRICES)), min_size=1, max_size=3, unique=True))
    version = draw(st.integers(0, len(parameter_versions(methodology)) - 1))
    positions, orders = draw(st.integers(0, 10)), draw(st.integers(0, 5))
    rng = Random(draw(st.integers(0, 2**32 - 1)))
    as_of = random_instant(rng, methodology, version)
    quotes = STABLE if rng.random() < 0.8 else ("USDT",)
    market = random_market(rng, as_of, coins, quotes)
    return {
        "as_of": iso(as_of),
        "methodology": methodology,
        "parameters": parameter_versions(methodology)[version]["version"],
        "market": market,
        "account": random_account(rng, methodology, coins, quotes, market["instruments"], positions, orders),
    }


def random_instant(rng: Random, methodology: str, version: int) -> datetime:
    """A time at which the version is in force, on the full second or not."""
    starts = [datetime.fromisoformat(item["effective_from"]) for item in parameter_versions(methodology)]
    span = [*starts, LAST_SEEN][version + 1] - starts[version]
    seconds = math.floor(rng.random() * span.total_seconds())
    return starts[version] + timedelta(seconds=seconds, milliseconds=rng.choice((0, 0, 642)))


def random_account(
    rng: Random,
    methodology: str,
    coins: Sequence[str],
    quotes: Sequence[str],
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
        "hedge_limits": {coin: random_limit(rng, coin) for coin in coins if rng.random() < 0.4},
        "balances": random_balances(rng, ("USD", *quotes, *coins)),
        "positions": [random_position(rng, rng.choice(pool), size) for _ in range(positions)],
        "orders": [
            random_order(rng, rng.choice(spot if rng.random() < 0.3 else pool), size) for _ in range(orders)
        ],
    }


def random_limit(rng: Random, coin: str) -> Document:
    amount = rng.choice((None, 0, round(contract_scale(coin) * rng.uniform(0.0, 5.0), 3)))
    return {"ratio": rng.choice((0, 0.25, "0.5", 1.0)), "max_amount": amount}


def random_balances(rng: Random, currencies: Sequence[str]) -> Document:
    """Mostly credit, some debt, from a hundred dollars to tens of millions; now and then a plain zero."""
    balances: Document = {}
    for name in currencies:
        if rng.random() < 0.6:
            worth = rng.choice((0.0, 1.0, 1.0, -0.7)) * 10.0 ** rng.uniform(2.0, 7.3)
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
    coins = contract_scale(instrument["underlying"]) if instrument["kind"] == "spot" else 1
    return {
        "instrument": instrument["id"],
        "side": rng.choice(("buy", "sell")),
        "quantity": number(rng, random_quantity(rng, size) * coins),
        "price": number(rng, random_price(rng, instrument)),
    }


def random_quantity(rng: Random, size: float) -> float:
    """Positive; round numbers often, so that rows of one instrument can cancel."""
    return rng.choice((size, size, 2.0 * size, round(size * rng.uniform(0.1, 5.0), 3)))


def random_price(rng: Random, instrument: Document) -> float:
    """Near the mark; a spot instrument is not marked."""
    mark: Any = instrument.get("mark", PRICES[instrument["underlying"]])
    return rounded(float(mark) * rng.uniform(0.8, 1.25))
