"""The oracle against every published figure, so that what the engine is compared with is itself anchored."""

import copy
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.reference import margin_report
from tests.reference.bybit_uta import vol_factor
from tests.reference.compare import Disagreement, assert_reports_agree
from tests.reference.market_documents import Document
from tests.reference.strategies import books, parameter_versions, parameters_of

CASES = Path(__file__).resolve().parents[1] / "cases"
AS_OF = datetime(2025, 2, 1, 8, tzinfo=UTC)
METHODOLOGIES = ("okx-2025", "okx-classic", "bybit-uta", "standard")


def case(name: str) -> Document:
    document: Document = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return document


def report_of(book: Document) -> Document:
    return margin_report(book, parameters_of(book))


def exact(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def future(settle: str, mark: float, days: float | None = None) -> Document:
    """A BTC perpetual, or a future with some days to go, of one coin (inverse: one dollar) a contract."""
    item = {
        "id": f"BTC-{settle}-{days}",
        "kind": "perpetual" if days is None else "future",
        "underlying": "BTC",
        "style": "inverse" if settle == "BTC" else "linear",
        "settle": settle,
        "contract_size": 1,
        "mark": mark,
    }
    return item if days is None else item | {"expiry": (AS_OF + timedelta(days=days)).isoformat()}


def option(option_type: str, strike: float, days: float) -> Document:
    """A USDC option of one coin a contract, worth nothing much."""
    return {
        "id": f"BTC-{days}-{strike}-{option_type}",
        "kind": "option",
        "underlying": "BTC",
        "style": "linear",
        "settle": "USDC",
        "contract_size": 1,
        "expiry": (AS_OF + timedelta(days=days)).isoformat(),
        "strike": strike,
        "option_type": option_type,
        "mark": 10,
        "mark_iv": 0.5,
        "forward": 60_000,
    }


def unit_of(
    methodology: str,
    version: str,
    index: float,
    held: Sequence[tuple[Document, float]],
    *,
    fx_usdt: float = 1.0,
    spot: float = 0.0,
    hedge_mode: str | None = None,
) -> Document:
    """The one risk unit of a BTC book with these instruments and quantities."""
    book = {
        "as_of": AS_OF.isoformat(),
        "methodology": methodology,
        "parameters": version,
        "market": {
            "index": {"BTC-USD": index},
            "fx": {"USDT": fx_usdt, "USDC": 1},
            "instruments": [instrument for instrument, _ in held],
        },
        "account": {
            "id": "A-1",
            "hedge_mode": hedge_mode,
            "balances": {"BTC": spot},
            "positions": [
                {"instrument": item["id"], "quantity": amount, "entry_price": item["mark"]}
                for item, amount in held
            ],
        },
    }
    (unit,) = report_of(book)["risk_units"]
    assert isinstance(unit, dict)
    return unit


def test_okx_position_builder_account() -> None:
    published = case("okx-2025-position-builder")
    account = report_of(published["book"])["account"]
    expected = published["expected"]["account"]
    assert {name: account[name] for name in expected} == exact(expected)
    assert account["status"] == "liquidation"


@pytest.mark.parametrize("coin", ["BTC", "LTC"])
def test_okx_position_builder_unit(coin: str) -> None:
    published = case("okx-2025-position-builder")
    expected = published["expected"]["risk_units"][coin]
    (unit,) = [item for item in report_of(published["book"])["risk_units"] if item["unit"] == coin]
    assert unit["components"] == exact(expected["components"])
    for name in ("mmr", "imr", "cash_delta", "upl"):
        assert unit[name] == exact(expected[name])
    grid = zip(unit["scenarios"]["price_moves"], unit["scenarios"]["pnl"], strict=True)
    by_move = {float(move): pnl for move, pnl in expected["pnl_at_each_vol"].items()}
    assert dict(grid) == {move: exact([pnl] * 3) for move, pnl in by_move.items()}
    assert unit["worst"]["price_move"] == expected["worst_price_move"]


def without_rows(book: Document, keep: str | None) -> Document:
    """The book with the position in one instrument only, or with the positions as they are."""
    trimmed = copy.deepcopy(book)
    rows = trimmed["account"]["positions"]
    trimmed["account"]["positions"] = [row for row in rows if keep in (None, row["instrument"])]
    return trimmed


def test_bybit_response_option_cells() -> None:
    published = case("bybit-uta-portfolio-margin")
    book = without_rows(published["book"], "BTC-25SEP26-80000-C-USDT")
    book["account"]["hedge_mode"] = "derivatives_only"
    scenarios = report_of(book)["risk_units"][0]["scenarios"]
    up_same_down = [row[::-1] for row in scenarios["pnl"]]
    expected = published["expected"]["option_pnl_up_same_down"]
    assert scenarios["price_moves"] == [float(move) for move in expected]
    for row, cells in zip(up_same_down, expected.values(), strict=True):
        assert row == pytest.approx(cells, abs=published["absolute_tolerance"]["option_pnl"])


def test_bybit_response_perpetual_cells() -> None:
    published = case("bybit-uta-portfolio-margin")
    book = without_rows(published["book"], "BTCUSDT")
    book["account"]["hedge_mode"] = "derivatives_only"
    pnl = report_of(book)["risk_units"][0]["scenarios"]["pnl"]
    expected = list(published["expected"]["perp_pnl"].values())
    assert [row[1] for row in pnl] == pytest.approx(expected, abs=1e-6)


def test_bybit_response_spot_cells() -> None:
    published = case("bybit-uta-portfolio-margin")
    hedged, bare = copy.deepcopy(published["book"]), copy.deepcopy(published["book"])
    bare["account"]["hedge_mode"] = "derivatives_only"
    grids = [report_of(book)["risk_units"][0]["scenarios"]["pnl"] for book in (hedged, bare)]
    spot = [with_spot[1] - without[1] for with_spot, without in zip(*grids, strict=True)]
    assert spot == pytest.approx(list(published["expected"]["spot_pnl"].values()), abs=1e-5)


def test_bybit_response_components() -> None:
    published = case("bybit-uta-portfolio-margin")
    (unit,) = report_of(published["book"])["risk_units"]
    expected = published["expected"]
    for name, figure in expected["components"].items():
        tolerance = published["absolute_tolerance"].get(name, 0.0)
        assert unit["components"][name] == pytest.approx(figure, abs=tolerance)
    for name, figure in expected["worst"].items():
        assert unit["worst"][name] == figure
    assert unit["imr"] / unit["mmr"] == exact(expected["im_over_mm"])


def test_bybit_response_delta_spread_is_the_documented_difference() -> None:
    published = case("bybit-uta-portfolio-margin")
    (unit,) = report_of(published["book"])["risk_units"]
    assert unit["components"]["delta_spread"] == pytest.approx(66.6, abs=0.6)


def test_bear_put_spread() -> None:
    published = case("bybit-uta-bear-put-spread")
    expected = published["expected"]
    (unit,) = report_of(published["book"])["risk_units"]
    tolerance = expected["max_loss_tolerance"]
    assert unit["components"]["max_loss"] == pytest.approx(expected["max_loss"], abs=tolerance)
    assert unit["components"]["contingency"] == expected["contingency"]
    assert {name: unit["worst"][name] for name in expected["worst"]} == expected["worst"]


def test_short_put_in_standard() -> None:
    published = case("bybit-uta-bear-put-spread")
    book = without_rows(published["book"], "BTC-22JUL-18500-P")
    book |= {"methodology": "standard", "parameters": "2020-01-01"}
    account = report_of(book)["account"]
    expected = published["expected"]["standard_of_the_short_put_alone"]
    assert account["mmr"] == pytest.approx(expected["mmr"], abs=expected["absolute_tolerance"])
    assert account["imr"] == pytest.approx(expected["imr"], abs=expected["absolute_tolerance"])


@pytest.mark.parametrize(("version", "mr4"), [("2024-05-11", 0.0), ("2024-06-05", 8_053.32)])
def test_classic_basis_of_a_spot_hedge(version: str, mr4: float) -> None:
    held = [(future("USDT", 67_111.0), -10)]
    unit = unit_of("okx-classic", version, 67_111.0, held, spot=10, hedge_mode="spot_usdt")
    assert unit["spot_in_use"] == 10
    assert unit["components"]["mr4"] == exact(mr4)


def test_classic_minimum_charge_tiers() -> None:
    version = next(item for item in parameter_versions("okx-classic") if item["version"] == "2025-01-06")
    coins = 30_000 / (version["mr7"]["futures_rate"]["tier1"] * 60_000)
    unit = unit_of("okx-classic", "2025-01-06", 60_000, [(future("USDT", 60_000), coins)])
    assert unit["components"]["mr7"] == exact(50_000)


def test_depeg_of_ten_million() -> None:
    held = [(future("USDT", 100_000), -10_000_000 / (100_000 * 0.985)), (future("BTC", 100_000), 10_000_000)]
    unit = unit_of("okx-2025", "2025-01-21", 98_500, held, fx_usdt=0.985)
    assert unit["components"]["mr9"] == exact(202_500)


def test_perfect_spot_hedge_still_costs() -> None:
    held = [(future("USDT", 100_000), -1)]
    unit = unit_of("okx-2025", "2025-01-21", 100_000, held, spot=1)
    assert unit["mmr"] == exact(0.009 * 100_000)


def bybit_component(name: str, held: Sequence[tuple[Document, float]]) -> float:
    return float(unit_of("bybit-uta", "2025-01-10", 60_000, held)["components"][name])


def test_bybit_stablecoin_spread_by_hand() -> None:
    groups = [(future("USDT", 60_000), 2.0), (future("USDC", 60_000), -1.5), (future("BTC", 60_000), 30_000)]
    assert bybit_component("stablecoin_spread", groups) == exact(900)


def test_bybit_short_option_by_hand() -> None:
    held = [
        (option("call", 80_000, 30), -3),
        (option("call", 90_000, 30), 1),
        (option("put", 40_000, 30), -1),
        (option("call", 80_000, 60), 5),
    ]
    assert bybit_component("short_option", held) == exact(1800)


def test_bybit_calendar_spread_by_hand() -> None:
    perpetual, month, quarter = (future("USDT", 60_000, days) for days in (None, 30, 90))
    assert bybit_component("delta_spread", [(perpetual, 3), (month, -1), (quarter, -1)]) == exact(2160)


def test_bybit_perpetuals_by_hand() -> None:
    held = [(future("USDT", 60_000), 1.5), (future("USDC", 60_000), -0.5)]
    assert bybit_component("perp_futures", held) == exact(36)


@pytest.mark.parametrize(("column", "factor"), [("up", 0.1388333), ("down", -0.1156944), ("same", 0.0)])
def test_bybit_volatility_factor_by_hand(column: str, factor: float) -> None:
    rule = parameter_versions("bybit-uta")[-1]["vol"]
    assert vol_factor(rule, 186 * 86_400.0, column) == pytest.approx(factor, abs=5e-8)


@pytest.mark.parametrize("methodology", METHODOLOGIES)
def test_random_books_are_margined(methodology: str) -> None:
    @settings(max_examples=40, deadline=None)
    @given(books(methodology))
    def check(book: Document) -> None:
        report = report_of(book)
        assert_reports_agree(report, report)
        assert all(unit["mmr"] >= 0.0 for unit in report["risk_units"])

    check()


@pytest.mark.parametrize(
    ("section", "field"), [("account", "mmr"), ("currencies", "equity"), ("risk_units", "delta")]
)
def test_comparison_sees_a_part_in_a_million(section: str, field: str) -> None:
    expected = report_of(case("okx-2025-position-builder")["book"])
    actual = copy.deepcopy(expected)
    entry = actual[section] if section == "account" else actual[section][0]
    entry[field] *= 1.0 + 1e-6
    with pytest.raises(Disagreement, match=field):
        assert_reports_agree(actual, expected)
