"""Curves: roots against a brute-force scan, none where there is none, and the book itself at 0."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from margin.engine.curve import VOL_MOVES, Axis, Curve, curve_of
from margin.engine.documents.book import read_book
from margin.engine.errors import DocumentError
from margin.engine.methodologies.registry import OFFERED
from margin.engine.what_if import what_if
from margin.parameter_files import shipped_library
from tests.margin.engine.support import (
    BTC,
    LISTED,
    PERPETUAL,
    PUT,
    Document,
    book,
    future,
    option,
    position,
    report,
)

LONG = book([position(PERPETUAL, 3)], balances={"USDT": 100_000})
SHORT = book([position(PERPETUAL, -3)], balances={"USDT": 100_000})
#: Short strangle with spot: in danger on both sides.
BOTH_SIDES = book(
    [position("BTC-USDT-60d-110000-C", -9), position(PUT, -9)], balances={"USDT": 200_000, "USDC": 200_000}
)
SAFE = book([position(PERPETUAL, -1)], balances={"BTC": 2, "USDT": 500_000})
INVERSE = book([position("BTC-BTC-60d", 250_000)], balances={"BTC": 1.0})


def _curve(document: Document, methodology: str = "okx-2025", **request: Any) -> Curve:
    document = document | {"methodology": methodology, "parameters": None}
    return curve_of(read_book(document, shipped_library()), **request)


def _status(document: Document, move: float) -> str:
    after = what_if(document, {"shifts": {"price": {"BTC": move}}}, shipped_library())["after"]
    return str(after["account"]["status"])


@pytest.mark.parametrize("methodology", OFFERED)
@pytest.mark.parametrize("document", [LONG, SHORT, BOTH_SIDES, INVERSE])
def test_status_changes_exactly_at_the_liquidation_prices(document: Document, methodology: str) -> None:
    document = document | {"methodology": methodology, "parameters": None}
    roots = np.array(_curve(document, methodology).liquidation_moves)
    assert len(roots)
    scan = np.linspace(-0.5, 1.0, 76)
    liquidated = np.array([_status(document, float(move)) == "liquidation" for move in scan])
    crossed = np.array([((low < roots) & (roots <= high)).sum() for low, high in pairwise(scan)])
    assert (liquidated[1:] != liquidated[:-1]).tolist() == (crossed % 2 == 1).tolist()
    for root in roots:
        beside = {_status(document, float(root) + step) == "liquidation" for step in (-1e-9, 1e-9)}
        assert beside == {True, False}


def test_both_sides_are_found_and_priced_in_usd() -> None:
    curve = _curve(BOTH_SIDES)
    below, above = curve.document()["liquidation_prices"]
    assert below < BTC < above
    assert [below, above] == [BTC * (1.0 + move) for move in curve.liquidation_moves]


def test_the_ratio_at_a_liquidation_price_is_the_threshold() -> None:
    (root,) = _curve(SHORT).liquidation_moves
    (point,) = [p for p in _curve(SHORT, moves=[0, root, 1]).points if p.move == root]
    assert point.margin_ratio == pytest.approx(1.0, rel=1e-9)


def test_bybit_is_liquidated_at_the_rate_of_its_parameters() -> None:
    for root in _curve(SHORT, "bybit-uta").liquidation_moves:
        after = what_if(
            SHORT | {"methodology": "bybit-uta", "parameters": None},
            {"shifts": {"price": {"BTC": root}}},
            shipped_library(),
        )["after"]
        assert after["account"]["mmr_rate"] == pytest.approx(1.0, rel=1e-9)


def test_a_jump_past_the_threshold_is_a_liquidation_price() -> None:
    """As BTC rises, a short inverse position shrinks to 20 coins and a lower tier of the standard."""
    document = book([position("BTC-BTC-SWAP", -2_400_000)], balances={"BTC": 4.13})
    curve = _curve(document, "standard", moves=[0.0, 0.198, 0.201, 0.21])
    (_, jump, _) = curve.liquidation_moves
    assert jump == pytest.approx(0.2, abs=1e-9)
    below, above = _curve(document, "standard", moves=[jump - 1e-9, jump + 1e-9]).points
    assert below.health < -5_000.0
    assert above.health > 5_000.0


def test_two_liquidation_prices_around_a_turn_between_neighbouring_moves_are_found() -> None:
    """A straddle bought on credit is worth least at its strike."""
    legs = [option("USDT", 100_000, kind, 1) for kind in ("call", "put")]
    document = book(
        [position(leg, 10) for leg in legs], balances={"USDT": -101_000}, instruments=[*LISTED, *legs]
    )
    coarse = _curve(document, "standard", moves=[-0.1, 0.015, 0.1])
    assert min(point.health for point in coarse.points) > 0.0
    assert coarse.liquidation_moves == pytest.approx(_curve(document, "standard").liquidation_moves, abs=1e-9)
    assert len(coarse.liquidation_moves) == 2


@pytest.mark.parametrize("methodology", OFFERED)
def test_none_is_reported_where_there_is_none(methodology: str) -> None:
    curve = _curve(SAFE, methodology)
    assert curve.liquidation_moves == ()
    assert min(point.health for point in curve.points) > 0.0


def test_an_account_that_is_liquidated_everywhere_has_no_liquidation_price() -> None:
    document = book([position(PERPETUAL, -1), position(future("USDC"), 1)], balances={"USDT": -50_000})
    curve = _curve(document)
    assert max(point.health for point in curve.points) < 0.0
    assert curve.liquidation_moves == ()


@pytest.mark.parametrize("methodology", OFFERED)
@pytest.mark.parametrize("axis", Axis)
def test_at_zero_the_curve_is_the_report_bit_for_bit(methodology: str, axis: Axis) -> None:
    document = BOTH_SIDES | {"methodology": methodology, "parameters": None}
    (point,) = [p for p in _curve(document, methodology, axis=axis).points if p.move == 0.0]
    account = report(document)["account"]
    assert (point.equity, point.mmr, point.margin_ratio) == (
        account["adjusted_equity"],
        account["mmr"],
        account["margin_ratio"],
    )


def test_points_are_those_of_a_what_if() -> None:
    for move in (-0.5, -0.1, 0.4):
        (_, point) = _curve(BOTH_SIDES, moves=[-0.6, move]).points
        changes = {"shifts": {"price": {"BTC": move}}}
        account = what_if(BOTH_SIDES | {"parameters": None}, changes, shipped_library())["after"]["account"]
        assert (point.mmr, point.margin_ratio) == (account["mmr"], account["margin_ratio"])


def test_short_options_suffer_as_volatility_rises() -> None:
    curve = _curve(BOTH_SIDES, axis=Axis.VOL)
    assert [point.move for point in curve.points] == list(VOL_MOVES)
    live = [point.equity for point in curve.points if point.move >= -20.0]
    assert live == sorted(live, reverse=True)
    document = curve.document()
    assert document["axis"] == "vol"
    assert document["liquidation_prices"] == []
    assert len(document["liquidation_moves"]) == 1


def test_a_curve_without_requirement_has_a_null_ratio() -> None:
    curve = _curve(book(balances={"BTC": 1}))
    assert {point.margin_ratio for point in curve.points} == {None}
    assert curve.liquidation_moves == ()


def test_the_main_coin_is_that_of_the_largest_notional() -> None:
    document = book(
        [position(PERPETUAL, 1), position(future("USDT", coin="ETH", mark=3_000.0), 20, 3_000.0)],
        instruments=[*LISTED, future("USDT", coin="ETH", mark=3_000.0)],
    )
    document["market"]["index"]["ETH-USD"] = 3_000.0
    assert _curve(document).coin == "BTC"
    document["account"]["positions"][1]["quantity"] = 40
    assert _curve(document).coin == "ETH"


@pytest.mark.parametrize(
    ("request_fields", "path"),
    [
        ({"coin": "DOGE"}, "coin"),
        ({"moves": [0.0]}, "moves"),
        ({"moves": [0.1, 0.0]}, "moves[1]"),
        ({"moves": [-1.0, 0.0]}, "moves[0]"),
        ({"moves": [0.0, 1e6, "x"]}, "moves[2]"),
        ({"moves": list(range(700))}, "moves"),
        ({"moves": [-0.9999999999, 1e6]}, None),
    ],
)
def test_faults_name_their_place(request_fields: dict[str, Any], path: str | None) -> None:
    if path is None:
        assert len(_curve(SAFE, **request_fields).points) == 2
        return
    with pytest.raises(DocumentError) as refused:
        _curve(SAFE, **request_fields)
    assert [fault.path for fault in refused.value.faults] == [path]


def test_a_book_without_a_coin_must_name_one() -> None:
    with pytest.raises(DocumentError) as refused:
        _curve(book(balances={"USDT": 1}))
    assert [fault.path for fault in refused.value.faults] == ["coin"]
