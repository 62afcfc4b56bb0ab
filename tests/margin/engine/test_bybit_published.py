"""The venue's own documented response and help page, to the tolerances of the cases."""

import copy
from typing import Any

import pytest

from tests.margin.engine.support import Document, case, report, unit
from tests.reference.strategies import parameter_versions

CASE = case("bybit-uta-portfolio-margin")
EXPECTED = CASE["expected"]
MOVES = sorted(EXPECTED["perp_pnl"], key=float)
PERPETUAL, OPTION = CASE["book"]["account"]["positions"]


def published(name: str, value: Any) -> Any:
    return pytest.approx(value, rel=0.0, abs=CASE["absolute_tolerance"][name])


def cells(*positions: Document) -> list[list[float]]:
    """P&L by price move, then volatility down, same, up, of some of the positions; no spot hedges them."""
    document = copy.deepcopy(CASE["book"])
    document["account"] |= {"positions": list(positions), "hedge_mode": "derivatives_only"}
    pnl: list[list[float]] = unit(document)["scenarios"]["pnl"]
    return pnl


@pytest.fixture(scope="module")
def figures() -> Document:
    return unit(CASE["book"])


def test_price_moves(figures: Document) -> None:
    assert figures["scenarios"]["price_moves"] == [float(move) for move in MOVES]


def test_option_cells() -> None:
    for move, row in zip(MOVES, cells(OPTION), strict=True):
        assert row[::-1] == published("option_pnl", EXPECTED["option_pnl_up_same_down"][move])


def test_perpetual_cells() -> None:
    for move, row in zip(MOVES, cells(PERPETUAL), strict=True):
        assert row == [published("perp_pnl", EXPECTED["perp_pnl"][move])] * 3


def test_spot_is_added_where_it_gains_and_nowhere_else(figures: Document) -> None:
    """What the cells hold beyond the two derivatives."""
    alone = cells(PERPETUAL, OPTION)
    for move, row, without in zip(MOVES, figures["scenarios"]["pnl"], alone, strict=True):
        spot = [one - other for one, other in zip(row, without, strict=True)]
        assert spot == [published("spot_pnl", EXPECTED["spot_pnl"][move])] * 3


def test_components(figures: Document) -> None:
    for name, value in EXPECTED["components"].items():
        assert figures["components"][name] == published(name if name == "max_loss" else "perp_futures", value)


def test_worst_cell_and_initial_margin(figures: Document) -> None:
    assert figures["worst"] == EXPECTED["worst"] | {"pnl": -figures["components"]["max_loss"]}
    assert figures["imr"] == pytest.approx(EXPECTED["im_over_mm"] * figures["mmr"], rel=1e-12)


@pytest.mark.parametrize(("ratio", "charge"), [(0.98, 66.62), (0.85, 57.45)])
def test_delta_spread_is_this_projects_and_not_fitted_to_the_unpublished_formula(
    ratio: float, charge: float
) -> None:
    """The venue prints 56.89 with the collateral ratio 0.85 of its test network."""
    version = copy.deepcopy(parameter_versions("bybit-uta")[-1])
    version["discount"]["BTC"] = [{"up_to": None, "rate": ratio}]
    entry = unit(CASE["book"] | {"parameters": version})
    assert entry["components"]["delta_spread"] == pytest.approx(charge, abs=0.005)


def test_bear_put_spread() -> None:
    """The spread loses its premium at most, and the short put is covered by the long one."""
    spread = case("bybit-uta-bear-put-spread")
    expected, entry = spread["expected"], unit(spread["book"])
    assert entry["components"]["max_loss"] == pytest.approx(
        expected["max_loss"], abs=expected["max_loss_tolerance"]
    )
    assert entry["components"]["contingency"] == expected["contingency"]
    assert {name: entry["worst"][name] for name in expected["worst"]} == expected["worst"]


def test_published_account_is_well_margined() -> None:
    assert report(CASE["book"])["account"]["status"] == "normal"
