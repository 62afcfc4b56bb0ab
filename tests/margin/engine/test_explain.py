"""Explanations: shares that add up for any book, and what they say about books worked out by hand."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.engine.errors import DocumentError
from margin.engine.explain.document import explain_document
from margin.engine.methodologies.explainers import EXPLAINED
from margin.engine.methodologies.registry import OFFERED
from margin.parameter_files import shipped_library
from tests.margin.engine.support import (
    BTC,
    CALL,
    CI,
    DERIVATIVES,
    PERPETUAL,
    PUT,
    SPOT,
    Document,
    book,
    case,
    future,
    option,
    order,
    position,
    positions,
    report,
    spot_balances,
    unit,
)
from tests.reference.strategies import books

CASE = case("okx-2025-position-builder")
DATED = future("USDT", 30, 101_000.0)


def explain(document: Document) -> Document:
    return explain_document(document, shipped_library())


def explained(document: Document) -> Document:
    """The explanation of the document's only risk unit."""
    (entry,) = explain(document).values()
    found: Document = entry
    return found


def shares(entry: Document) -> list[float]:
    return [float(row["share"]) for row in entry["shares"]]


def adds_up(entry: Document, cancelling: float) -> None:
    """To 1e-9 of the value, or to the rounding of the amounts that cancel out within it."""
    assert sum(shares(entry)) == pytest.approx(entry["value"], rel=1e-9, abs=1e-9 + 1e-12 * cancelling)


def decision(entry: Document, of: str) -> Document:
    (found,) = (item for item in entry["decisions"] if item["max"] == of)
    return dict(found)


def holds(document: Document) -> None:
    """Every unit of the report is explained, figure by figure, and every sum comes out."""
    found = explain(document)
    units = report(document)["risk_units"]
    assert list(found) == [item["unit"] for item in units]
    for item in units:
        entry = found[item["unit"]]
        assert entry["mmr"]["value"] == item["mmr"]
        assert entry["mmr"]["binding"] == item["binding"]
        values = {name: component["value"] for name, component in entry["components"].items()}
        assert values == {name: pytest.approx(item["components"][name], rel=1e-12) for name in values}
        gross = max(sum(map(abs, shares(component))) for component in entry["components"].values())
        for component in (*entry["components"].values(), entry["mmr"]):
            adds_up(component, gross)
        counted = sum(
            component["value"] for component in entry["components"].values() if component["counted"]
        )
        assert counted == pytest.approx(item["mmr"], rel=1e-12)
        assert entry["words"].startswith(f"{item['unit']}: ")
        assert all(taken["by"] >= 0.0 for taken in entry["decisions"])


def test_every_methodology_is_explained() -> None:
    assert set(EXPLAINED) == set(OFFERED)


@pytest.mark.parametrize("methodology", EXPLAINED)
def test_shares_add_up_for_any_book(methodology: str) -> None:
    @CI
    @given(books(methodology))
    def add_up(document: Document) -> None:
        holds(document)

    add_up()


@CI
@given(positions, spot_balances)
def test_shares_add_up_where_legs_meet(rows: list[Document], held: Document) -> None:
    holds(book(rows, balances=held))


def test_the_published_case() -> None:
    found = explain(CASE["book"])
    for coin, expected in CASE["expected"]["risk_units"].items():
        entry = found[coin]
        (row,) = entry["mmr"]["shares"]
        assert row["kind"] == "position"
        assert row["share"] == pytest.approx(expected["mmr"], rel=1e-9)
        assert entry["components"]["mr1"]["cell"]["price_move"] == expected["worst_price_move"]


def test_a_hedge_has_a_negative_share() -> None:
    """Long ten, short four a month out: of a fall of 12 %, the short takes off four coins' worth."""
    mr1 = explained(book([position(PERPETUAL, 10), position(DATED, -4)]))["components"]["mr1"]
    assert mr1["cell"] == {"price_move": -0.12, "vol_shift": "down"}
    assert sorted(shares(mr1)) == [pytest.approx(-4 * 0.12 * BTC), pytest.approx(10 * 0.12 * BTC)]


def test_basis_is_charged_to_what_enlarges_a_bucket() -> None:
    """Two futures of one instant net within their bucket, so the smaller one takes off what it nets."""
    rows = [position(future("USDT", 60, BTC), 3), position(future("USDC", 60, BTC), -1)]
    listed = [future("USDT", 60, BTC), future("USDC", 60, BTC)]
    mr4 = explained(book(rows, instruments=listed))["components"]["mr4"]
    rate = 0.002 + 0.05 * 60 / 365
    by_name = {row["instrument"]: row["share"] for row in mr4["shares"]}
    assert by_name == {
        "BTC-USDT-60d": pytest.approx(3 * BTC * rate),
        "BTC-USDC-60d": pytest.approx(-BTC * rate),
    }


def test_the_spot_hedge_is_one_player_at_its_binding_amount() -> None:
    """Two coins against three short: the spot takes off 2 x 12 %, and costs its own 0.2 % of basis."""
    entry = explained(book([position(PERPETUAL, -3)], balances={"BTC": 2}))
    short, spot = entry["components"]["mr1"]["shares"]
    assert spot == {
        "kind": "spot",
        "instrument": "BTC",
        "quantity": 2.0,
        "share": pytest.approx(-2 * 0.12 * BTC),
    }
    assert short["share"] == pytest.approx(3 * 0.12 * BTC)
    assert shares(entry["components"]["mr4"]) == [
        pytest.approx(3 * BTC * 0.002),
        pytest.approx(2 * BTC * 0.002),
    ]
    assert shares(entry["components"]["mr9"]) == [0.0, pytest.approx(entry["components"]["mr9"]["value"])]
    assert shares(entry["components"]["mr7"])[1] == 0.0


def test_equal_sides_of_a_pair_bear_half_each() -> None:
    entry = explained(book([position(PERPETUAL, -1)], balances={"BTC": 1}))
    assert shares(entry["components"]["mr9"]) == [pytest.approx(0.0025 * BTC)] * 2
    assert entry["mmr"]["value"] == pytest.approx(0.009 * BTC)


def test_rows_of_one_instrument_divide_its_gross_charge_by_signed_quantity() -> None:
    """Five held and two on order: 3/7 more than held; a sale on order takes off its part."""
    entry = explained(book([position(PERPETUAL, 5)], [order(PERPETUAL, "buy", 2)]))
    assert shares(entry["components"]["mr7"]) == [pytest.approx(n * BTC * 0.0045) for n in (5, 2)]
    assert [row["kind"] for row in entry["mmr"]["shares"]] == ["position", "order"]
    entry = explained(book([position(CALL, -5), position(CALL, 2)], [order(CALL, "sell", 1)]))
    value = entry["components"]["mr7"]["value"]
    assert shares(entry["components"]["mr7"]) == [pytest.approx(value * 3 / 4), pytest.approx(value / 4)]


def test_an_order_outside_the_binding_set_has_no_share() -> None:
    """A sale of one against five held is less than the purchase of two, which binds."""
    orders = [order(PERPETUAL, "sell", 1), order(PERPETUAL, "buy", 2)]
    entry = explained(book([position(PERPETUAL, 5)], orders))
    assert [row["quantity"] for row in entry["mmr"]["shares"]] == [5.0, 2.0]
    taken = decision(entry, "order set")
    assert (taken["chosen"], taken["next"]) == ("positive_delta", "total")
    assert taken["by"] == pytest.approx(unit(book([position(PERPETUAL, 1)]))["mmr"])


def test_tiers_raise_every_share_alike() -> None:
    """MR7 of ten million in two parts: both pay the average multiplier, not their own slice's."""
    rows = [position(PERPETUAL, 900), position(DATED, 100)]
    mr7 = explained(book(rows))["components"]["mr7"]
    multiplier = mr7["cell"]["average_multiplier"]
    assert multiplier > 1.0
    assert sorted(shares(mr7)) == [
        pytest.approx(100 * 101_000 * 0.0045 * multiplier),
        pytest.approx(900 * BTC * 0.0045 * multiplier),
    ]


@CI
@given(st.sampled_from(DERIVATIVES), st.integers(1, 1000))
def test_opposite_legs_share_nothing(instrument: str, quantity: int) -> None:
    rows = [position(instrument, quantity), position(instrument, -quantity)]
    entry = explained(book(rows))
    assert all(shares(component) == [0.0] for component in entry["components"].values())
    assert "nothing is required" in entry["words"]


RAY_MARKET = [PERPETUAL, future("BTC", 60, 102_000.0), DATED, CALL, PUT, option("BTC", 110_000, days=60)]
RAY_ROWS = [
    position(item, quantity)
    for item, quantity in zip(RAY_MARKET, (40, -900_000, -4, -30, 55, 8), strict=True)
]
RAYS = {
    "okx-2025": ("2025-01-21", ("mr1", "mr2", "mr3", "mr4", "mr5", "mr7", "mr9")),
    "okx-classic": ("2025-01-15", ("mr1", "mr2", "mr4", "mr5", "mr6", "mr7")),
    "bybit-uta": (
        "2025-01-10",
        ("max_loss", "short_option", "vega_spread", "stablecoin_spread", "delta_spread", "perp_futures"),
    ),
}


def ray_book(methodology: str, factors: Sequence[float]) -> Document:
    """The rows, each multiplied by its factor."""
    rows = [row | {"quantity": row["quantity"] * f} for row, f in zip(RAY_ROWS, factors, strict=True)]
    document = book(rows, instruments=RAY_MARKET)
    return document | {"methodology": methodology, "parameters": RAYS[methodology][0]}


def components_at(methodology: str, factors: Sequence[float]) -> Document:
    """Every component as `unit component`, USD."""
    units = report(ray_book(methodology, factors))["risk_units"]
    return {
        f"{item['unit']} {name}": item["components"][name] for item in units for name in RAYS[methodology][1]
    }


def shares_of(methodology: str, instrument: str) -> Document:
    """One row's share of every component, as `unit component`."""
    return {
        f"{unit_name} {name}": row["share"]
        for unit_name, entry in explain(ray_book(methodology, [1.0] * len(RAY_ROWS))).items()
        for name in RAYS[methodology][1]
        for row in entry["components"][name]["shares"]
        if row["instrument"] == instrument
    }


@pytest.mark.parametrize("methodology", RAYS)
def test_shares_are_the_mean_gradient_along_the_ray_from_the_empty_book(methodology: str) -> None:
    """Aumann and Shapley by brute force: differences of the requirement itself, along the ray."""
    places, bump = (np.arange(40) + 0.5) / 40, 1e-5
    values = components_at(methodology, [1.0] * len(RAY_ROWS))
    for name in RAYS[methodology][1]:
        assert any(value > 0.0 for key, value in values.items() if key.endswith(f" {name}")), name
    for i, row in enumerate(RAY_ROWS):
        slopes: dict[str, list[float]] = defaultdict(list)
        for place in places:
            up, down = (
                components_at(methodology, [place + sign * bump * (j == i) for j in range(len(RAY_ROWS))])
                for sign in (1, -1)
            )
            for key in values:
                slopes[key].append((up[key] - down[key]) / (2.0 * bump))
        for key, share in shares_of(methodology, row["instrument"]).items():
            near = pytest.approx(share, rel=0.08, abs=0.004 * values[key] + 1e-6)
            assert np.mean(slopes[key]) == near, (row["instrument"], key)


def test_decisions_say_what_decided_and_by_how_much() -> None:
    document = book([position(CALL, -3), position(PUT, -3)])
    entry, components = explained(document), unit(document)["components"]
    taken = decision(entry, "mr1, mr2, mr6")
    ranked = sorted(("mr1", "mr2", "mr6"), key=components.__getitem__)
    assert (taken["chosen"], taken["next"]) == (ranked[-1], ranked[-2])
    assert taken["by"] == pytest.approx(components[ranked[-1]] - components[ranked[-2]])
    total = components[ranked[-1]] + sum(components[name] for name in ("mr3", "mr4", "mr5", "mr9"))
    assert decision(entry, "sum, mr7")["by"] == pytest.approx(abs(total - components["mr7"]))


def test_the_minimum_charge_counts_alone_where_it_decides() -> None:
    """A put far from the money loses little and still costs its slippage to close."""
    far = option("USDC", 20_000, "put", 5, mark=1.0, mark_iv=0.3)
    entry = explained(book([position(far, -2)], instruments=[far]))
    assert decision(entry, "sum, mr7")["chosen"] == "mr7"
    assert [name for name, item in entry["components"].items() if item["counted"]] == ["mr7"]
    assert entry["mmr"]["shares"] == entry["components"]["mr7"]["shares"]
    assert "the minimum charge for closing costs" in entry["words"]


def test_spot_orders_that_help_are_a_decision() -> None:
    document = book([position(PERPETUAL, -3)], [order(SPOT, "buy", 2)], {"BTC": 1})
    entry = explained(document)
    taken = decision(entry, "spot orders")
    alone = unit(book([position(PERPETUAL, -3)], balances={"BTC": 1}))["mmr"]
    assert (taken["chosen"], taken["next"]) == ("with", "without")
    assert taken["by"] == pytest.approx(alone - entry["mmr"]["value"])
    assert entry["mmr"]["shares"][-1]["quantity"] == 3.0


def test_words_name_the_move_the_cost_and_the_culprit() -> None:
    words = explained(book([position(PUT, -9), position(PERPETUAL, -1)]))["words"]
    assert words.startswith("BTC: a fall of 12 % with volatility up costs ")
    assert "the short 2 April 90k puts are " in words
    assert "hedges take off 12,000" in words


def test_every_fault_of_the_document_is_named() -> None:
    account: Any = CASE["book"]["account"] | {"balances": {"USDT": "x"}}
    with pytest.raises(DocumentError) as refusal:
        explain(CASE["book"] | {"account": account})
    assert refusal.value.faults[0].path == "account.balances.USDT"
