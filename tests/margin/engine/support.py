"""A small market and book documents on it, built by hand, for tests that state a rule in figures."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library

Document = dict[str, Any]

#: The bounded profile of continuous integration: the same examples every time.
CI: Final = settings(max_examples=60, deadline=None, derandomize=True)

CASES: Final = Path(__file__).resolve().parents[2] / "cases"
AS_OF: Final = datetime(2025, 2, 1, 8, tzinfo=UTC)
BTC: Final = 100_000.0


def case(name: str) -> Document:
    """A golden case of `tests/cases`."""
    document: Document = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def after(days: float) -> str:
    """The instant some days after the valuation, as a document writes it."""
    return (AS_OF + timedelta(days=days)).isoformat()


def future(settle: str, days: float | None = None, mark: float = BTC, coin: str = "BTC") -> Document:
    """A perpetual, or a future with `days` to go, of one coin (inverse: one dollar) a contract."""
    inverse = settle == coin
    item: Document = {
        "id": f"{coin}-{settle}-{'SWAP' if days is None else f'{days:g}d'}",
        "kind": "perpetual" if days is None else "future",
        "underlying": coin,
        "style": "inverse" if inverse else "linear",
        "settle": settle,
        "contract_size": 1,
        "mark": mark,
    }
    return item if days is None else item | {"expiry": after(days)}


def option(settle: str, strike: float, kind: str = "call", days: float = 30, **fields: Any) -> Document:
    """An option of one BTC a contract; worth 5 % of the coin unless told otherwise."""
    return {
        "id": f"BTC-{settle}-{days:g}d-{strike:g}-{kind[0].upper()}",
        "kind": "option",
        "underlying": "BTC",
        "style": "inverse" if settle == "BTC" else "linear",
        "settle": settle,
        "contract_size": 1,
        "expiry": after(days),
        "strike": strike,
        "option_type": kind,
        "mark": 0.05 if settle == "BTC" else 0.05 * BTC,
        "mark_iv": 0.55,
        "forward": BTC,
    } | fields


SPOT: Final[Document] = {"id": "BTC-USDT", "kind": "spot", "underlying": "BTC", "settle": "USDT"}
PERPETUAL: Final = future("USDT")
CALL: Final = option("BTC", 100_000)
PUT: Final = option("USDC", 90_000, "put", 60)
#: One of each kind, in which the property tests deal.
LISTED: Final = (
    SPOT,
    PERPETUAL,
    future("USDC"),
    future("BTC"),
    future("USDT", 30, 101_000.0),
    future("BTC", 60, 102_000.0),
    CALL,
    PUT,
    option("USDT", 110_000, "call", 60),
)
DERIVATIVES: Final = tuple(item["id"] for item in LISTED if item["kind"] != "spot")


def position(instrument: Document | str, quantity: float | str, entry: float = BTC) -> Document:
    """A position row; the entry price is the index unless told otherwise."""
    name = instrument if isinstance(instrument, str) else instrument["id"]
    return {"instrument": name, "quantity": quantity, "entry_price": entry}


def order(instrument: Document, side: str, quantity: float, price: float = BTC) -> Document:
    """An order row."""
    return {"instrument": instrument["id"], "side": side, "quantity": quantity, "price": price}


def book(
    positions: Sequence[Document] = (),
    orders: Sequence[Document] = (),
    balances: Mapping[str, Any] | None = None,
    instruments: Sequence[Document] = LISTED,
    index: float = BTC,
    fx: Mapping[str, float] | None = None,
    **account: Any,
) -> Document:
    """An okx-2025 book document on a market with one coin; stable currencies at par unless told otherwise."""
    return {
        "as_of": AS_OF.isoformat(),
        "methodology": "okx-2025",
        "parameters": "2025-01-21",
        "market": {
            "index": {"BTC-USD": index},
            "fx": dict(fx or {"USDT": 1.0, "USDC": 1.0}),
            "instruments": list(instruments),
        },
        "account": {
            "id": "A-1",
            "balances": dict(balances or {}),
            "positions": list(positions),
            "orders": list(orders),
        }
        | account,
    }


def report(document: Document) -> Document:
    """The margin report of a document, by the shipped parameters."""
    return margin_report(document, shipped_library())


def unit(document: Document) -> Document:
    """The report's only risk unit."""
    (entry,) = report(document)["risk_units"]
    found: Document = entry
    return found


#: Whole contracts: their sums are exact however they are split.
quantities = st.integers(-50, 50)
positions = st.lists(st.builds(position, st.sampled_from(DERIVATIVES), quantities), max_size=8)
spot_balances = st.integers(-20, 20).map(lambda coins: {"BTC": coins, "USDT": 1_000_000})
