"""The venue's own documented response, every figure of it, to the case's own tolerance."""

from typing import Any

import pytest

from tests.margin.engine.support import Document, case, report

CASE = case("okx-2025-position-builder")
ACCOUNT = CASE["expected"]["account"]
UNITS = CASE["expected"]["risk_units"]


def published(value: Any) -> Any:
    return pytest.approx(value, rel=CASE["relative_tolerance"], abs=1e-9)


@pytest.fixture(scope="module")
def figures() -> Document:
    return report(CASE["book"])


@pytest.fixture(scope="module")
def units(figures: Document) -> dict[str, Document]:
    return {unit["unit"]: unit for unit in figures["risk_units"]}


@pytest.mark.parametrize("name", ACCOUNT)
def test_account_figure(figures: Document, name: str) -> None:
    assert figures["account"][name] == published(ACCOUNT[name])


def test_units_are_the_published_ones(units: dict[str, Document]) -> None:
    assert list(units) == list(UNITS)


@pytest.mark.parametrize("coin", UNITS)
@pytest.mark.parametrize("name", ["mmr", "imr", "cash_delta", "upl"])
def test_unit_figure(units: dict[str, Document], coin: str, name: str) -> None:
    assert units[coin][name] == published(UNITS[coin][name])


@pytest.mark.parametrize("coin", UNITS)
def test_components(units: dict[str, Document], coin: str) -> None:
    expected = UNITS[coin]["components"]
    assert units[coin]["components"] == {name: published(value) for name, value in expected.items()}


@pytest.mark.parametrize("coin", UNITS)
def test_scenarios(units: dict[str, Document], coin: str) -> None:
    """A linear book loses the same at every volatility, so each published row stands three times."""
    expected = {float(move): pnl for move, pnl in UNITS[coin]["pnl_at_each_vol"].items()}
    scenarios = units[coin]["scenarios"]
    assert scenarios["price_moves"] == sorted(expected)
    assert scenarios["vol_shifts"] == ["down", "same", "up"]
    for move, row in zip(scenarios["price_moves"], scenarios["pnl"], strict=True):
        assert row == [published(expected[move])] * 3


@pytest.mark.parametrize("coin", UNITS)
def test_worst_cell(units: dict[str, Document], coin: str) -> None:
    assert units[coin]["worst"]["price_move"] == UNITS[coin]["worst_price_move"]
    assert units[coin]["worst"]["pnl"] == published(-UNITS[coin]["components"]["mr1"])


def test_account_is_to_be_liquidated(figures: Document) -> None:
    """A ratio below zero is below one."""
    assert figures["account"]["status"] == "liquidation"
