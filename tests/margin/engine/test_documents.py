"""Every way in which a book document can be wrong, and the path that the refusal names."""

import copy
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from margin.engine.documents.schema import exact
from margin.engine.errors import DocumentError
from margin.parameter_files import PARAMETER_DIRECTORY
from tests.margin.engine.support import (
    CALL,
    LISTED,
    PERPETUAL,
    SPOT,
    Document,
    book,
    future,
    order,
    position,
    report,
)

Change = Callable[[Document], object]
PLACE: Final = {item["id"]: i for i, item in enumerate(LISTED)}
SHIPPED: Final = json.loads((PARAMETER_DIRECTORY / "okx-2025.json").read_text(encoding="utf-8"))["versions"][
    0
]
PERPETUAL_AT: Final = f"market.instruments[{PLACE[PERPETUAL['id']]}]"
CALL_AT: Final = f"market.instruments[{PLACE[CALL['id']]}]"
SPOT_AT: Final = f"market.instruments[{PLACE[SPOT['id']]}]"


def good() -> Document:
    """A book that has one of everything."""
    return copy.deepcopy(
        book(
            [position(PERPETUAL, "-10"), position(CALL, 2, 0.05)],
            [order(PERPETUAL, "buy", 5), order(SPOT, "sell", 1)],
            {"USDT": "100", "BTC": "1.5"},
            hedge_limits={"BTC": {"ratio": 0.5, "max_amount": 3}},
        )
    )


def put(path: str, value: Any) -> Change:
    """Set the field at a document path."""
    *parents, last = [part.rstrip("]") for part in path.replace("[", ".").split(".")]

    def change(document: Document) -> None:
        place: Any = document
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[int(last) if isinstance(place, list) else last] = value

    return change


def drop(path: str) -> Change:
    """Remove the field at a document path."""
    *parents, last = [part.rstrip("]") for part in path.replace("[", ".").split(".")]

    def change(document: Document) -> None:
        place: Any = document
        for key in parents:
            place = place[int(key)] if isinstance(place, list) else place[key]
        del place[last]

    return change


def inline(path: str, value: Any) -> Change:
    """An inline parameter object with one field changed."""

    def change(document: Document) -> None:
        document["parameters"] = copy.deepcopy(SHIPPED)
        put(f"parameters.{path}", value)(document)

    return change


def with_order_in_expired_future(document: Document) -> None:
    expired = future("USDC", -1)
    document["market"]["instruments"].append(expired)
    document["account"]["orders"].append(order(expired, "buy", 1))


def before_every_version(document: Document) -> None:
    document |= {"as_of": "2020-01-01T00:00:00Z", "parameters": None}


def with_huge_sum(document: Document) -> None:
    rows = [position(PERPETUAL, 6e11), position(PERPETUAL, 6e11)]
    document["account"]["positions"] = rows


def _everywhere(path: str, *values: Any) -> list[Any]:
    return [pytest.param(put(path, value), path, id=f"{path}={value!r:.30}") for value in values]


NOT_NUMBERS: Final[tuple[Any, ...]] = (
    float("nan"),
    float("inf"),
    -float("inf"),
    True,
    False,
    None,
    [],
    {},
    "",
    " 1",
    "1 ",
    "1_000",
    ".5",
    "5.",
    "1e",
    "0x1",
    "NaN",
    "inf",
    "٣",
    "1,5",
    "1e400",
    "-1e400",
    "1e99999999999999999999",
    10**400,
    "9" * 400,
)
NUMBER_FIELDS: Final = (
    "market.index.BTC-USD",
    "market.fx.USDT",
    f"{PERPETUAL_AT}.contract_size",
    f"{PERPETUAL_AT}.mark",
    f"{CALL_AT}.strike",
    f"{CALL_AT}.mark",
    f"{CALL_AT}.mark_iv",
    f"{CALL_AT}.forward",
    "account.balances.BTC",
    "account.positions[0].quantity",
    "account.positions[0].entry_price",
    "account.orders[0].quantity",
    "account.orders[0].price",
    "account.hedge_limits.BTC.ratio",
)
TEXT_FIELDS: Final = (
    "as_of",
    "methodology",
    f"{PERPETUAL_AT}.kind",
    f"{PERPETUAL_AT}.style",
    f"{PERPETUAL_AT}.settle",
    f"{PERPETUAL_AT}.underlying",
    f"{CALL_AT}.expiry",
    f"{CALL_AT}.option_type",
    "account.id",
    "account.positions[0].instrument",
    "account.orders[0].side",
)
#: Text that must be one of a few words, or a name that the document defines.
CHOICES: Final = tuple(
    path for path in TEXT_FIELDS if path not in ("account.id", f"{PERPETUAL_AT}.underlying")
)
BAD: Final[list[Any]] = [
    *(case for path in NUMBER_FIELDS for case in _everywhere(path, *NOT_NUMBERS)),
    *(case for path in TEXT_FIELDS for case in _everywhere(path, 1, "", [], {}, None)),
    *(case for path in CHOICES for case in _everywhere(path, "nonsense")),
    # Bounds
    *_everywhere("market.index.BTC-USD", 0, -1, 1e-13, 1.1e12),
    *_everywhere("market.fx.USDT", 0, -1),
    *_everywhere("market.fx.USDC", 0),
    *_everywhere("market.fx.USD", 0.999, 2),
    *_everywhere(f"{PERPETUAL_AT}.contract_size", 0, -1),
    *_everywhere(f"{PERPETUAL_AT}.mark", 0, -1, 1e13),
    *_everywhere(f"{CALL_AT}.mark", -1e-9),
    *_everywhere(f"{CALL_AT}.mark_iv", -0.01),
    *_everywhere(f"{CALL_AT}.forward", 0, -5),
    *_everywhere(f"{CALL_AT}.strike", 0, -5),
    *_everywhere("account.positions[0].quantity", "1000000000001", -2e12),
    *_everywhere("account.positions[0].entry_price", 0, -1),
    *_everywhere("account.positions[1].entry_price", -1),
    *_everywhere("account.orders[0].quantity", 0, -1, 2e12),
    *_everywhere("account.orders[0].price", 0, -1),
    *_everywhere("account.hedge_limits.BTC.ratio", -0.1, 1.1),
    *_everywhere("account.hedge_limits.BTC.max_amount", -1, "x"),
    # Times
    *_everywhere("as_of", "2025-02-01T08:00:00", "2025-02-01", "yesterday"),
    *_everywhere(f"{CALL_AT}.expiry", "2025-03-03T08:00:00"),
    # Fields that do not belong
    *_everywhere("note", "x"),
    *_everywhere("market.note", "x"),
    *_everywhere("account.note", "x"),
    *_everywhere("account.positions[0].side", "buy"),
    *_everywhere("account.orders[0].type", "limit"),
    *_everywhere("account.hedge_limits.BTC.min", 0),
    *_everywhere(f"{PERPETUAL_AT}.strike", 1),
    *_everywhere(f"{PERPETUAL_AT}.expiry", "2025-03-03T08:00:00Z"),
    *_everywhere(f"{SPOT_AT}.style", "linear"),
    *_everywhere("market.fx.EUR", 1.1),
    *_everywhere("market.index.BTC-EUR", 1.0),
    *_everywhere("market.index.BTCUSD", 1.0),
    # Settlement
    *_everywhere(f"{PERPETUAL_AT}.settle", "BTC", "USD"),
    *_everywhere(f"{CALL_AT}.settle", "USDT", "ETH"),
    # Names
    *_everywhere("account.positions[1].instrument", "BTC-USDT-SWAPS", "BTC-USDT"),
    *_everywhere("account.orders[1].instrument", "ETH-USDT"),
    *_everywhere("account.orders[0].side", "BUY"),
    *_everywhere("account.hedge_mode", "spot_usdt", "derivatives_only", "spot_hedged", 1),
    *_everywhere("parameters", "2025-01-22", 5),
    # Shapes
    *_everywhere("market", [], None, 1),
    *_everywhere("account", [], None),
    *_everywhere("market.instruments", {}, "x"),
    *_everywhere("market.instruments[0]", 1, []),
    *_everywhere("account.positions", {}, None),
    *_everywhere("account.balances", [], None),
    pytest.param(
        put("market.instruments[3].id", PERPETUAL["id"]), "market.instruments[3].id", id="repeated id"
    ),
    pytest.param(put(f"{CALL_AT}.expiry", "2025-02-01T08:00:00Z"), f"{CALL_AT}.expiry", id="expires now"),
    pytest.param(
        with_order_in_expired_future, f"market.instruments[{len(LISTED)}].expiry", id="ordered, expired"
    ),
    pytest.param(with_huge_sum, "account.positions[0].quantity", id="rows add up beyond the bound"),
    *(
        pytest.param(drop(path), path, id=f"no {path}")
        for path in (
            "as_of",
            "methodology",
            "market",
            "account",
            "market.index",
            "market.index.BTC-USD",
            "market.fx.USDT",
            f"{PERPETUAL_AT}.mark",
            f"{PERPETUAL_AT}.style",
            f"{CALL_AT}.expiry",
            f"{CALL_AT}.mark_iv",
            "account.id",
            "account.positions[0].entry_price",
            "account.orders[0].price",
        )
    ),
    pytest.param(put("account.balances.SOL", 1), "market.index.SOL-USD", id="a coin without a price"),
    pytest.param(before_every_version, "parameters", id="before every version"),
    # Inline parameters
    pytest.param(inline("methodology", "okx-classic"), "parameters.methodology", id="another methodology"),
    pytest.param(
        inline("mr1.price_moves.tier1", [0.08, 0.04]), "parameters.mr1.price_moves.tier1[1]", id="descending"
    ),
    pytest.param(
        inline("mr1.price_moves.tier1[2]", 1.0), "parameters.mr1.price_moves.tier1[2]", id="move of 100 %"
    ),
    pytest.param(inline("mr6.loss_factor", float("nan")), "parameters.mr6.loss_factor", id="NaN factor"),
    pytest.param(inline("mr3.factor", True), "parameters.mr3.factor", id="boolean factor"),
    pytest.param(inline("mr10", {}), "parameters.mr10", id="unknown factor"),
    pytest.param(inline("mr8.tiers.BTC[0].imr", 0.0), "parameters.mr8.tiers.BTC[0].imr", id="imr below mmr"),
    pytest.param(
        inline("discount.BTC[4].up_to", 1000), "parameters.discount.BTC[4].up_to", id="closed last tier"
    ),
]


@pytest.mark.parametrize(("change", "path"), BAD)
def test_bad_book_is_refused_with_the_path(change: Change, path: str) -> None:
    document = good()
    change(document)
    with pytest.raises(DocumentError) as refusal:
        report(document)
    assert path in [fault.path for fault in refusal.value.faults]


def test_the_book_that_they_break_is_good() -> None:
    assert report(good())["account"]["id"] == "A-1"


@pytest.mark.parametrize("document", [None, [], 1, "book"])
def test_a_document_is_an_object(document: Any) -> None:
    with pytest.raises(DocumentError):
        report(document)


def test_all_faults_are_found_in_one_pass() -> None:
    document = good()
    for path in ("account.positions[0].quantity", "account.orders[0].price", "account.balances.BTC"):
        put(path, "x")(document)
    with pytest.raises(DocumentError) as refusal:
        report(document)
    assert len(refusal.value.faults) == 3


@pytest.mark.parametrize(
    "text", ["1", "+1", "-1.50", "1e3", "1E+3", "01", "0.1e-2", "-0", "1e-400", "1e-99999999999999999999"]
)
def test_decimal_strings(text: str) -> None:
    number = exact(text)
    assert number is not None
    assert float(number) == float(text)


@pytest.mark.parametrize(
    "change",
    [
        put("parameters", None),
        put("as_of", "2025-02-01T09:00:00+01:00"),
        put("account.hedge_mode", None),
        put("account.hedge_mode", "spot_hedge"),
        put("market.fx.USD", 1),
        drop("account.orders"),
        put("account.positions[1].entry_price", 0),
        inline("source", "the same, inline"),
    ],
)
def test_other_ways_to_write_the_same(change: Change) -> None:
    document = good()
    change(document)
    expected = good()
    if "orders" not in document["account"]:
        expected["account"]["orders"] = []
    assert report(document)["risk_units"] == report(expected)["risk_units"]


def test_an_unused_expired_instrument_may_be_listed() -> None:
    document = good()
    document["market"]["instruments"].append(future("USDC", -1))
    assert report(document)["risk_units"] == report(good())["risk_units"]


def test_quantities_are_added_in_decimal() -> None:
    """0.1 + 0.2 - 0.3 leaves nothing, which binary floats would miss."""
    rows = [position(PERPETUAL, text) for text in ("0.1", "0.2", "-0.3")]
    (entry,) = report(book(rows))["risk_units"]
    assert entry["mmr"] == 0.0
    assert entry["delta"] == 0.0
