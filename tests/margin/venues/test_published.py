"""Margin in the words of venues, against the answers that the venues published."""

from typing import Any

import pytest

from margin.engine.documents.book import read_book
from margin.engine.simulation import report_of
from margin.parameter_files import shipped_library
from margin.venues.formats import VenueFormat
from tests.margin.engine.support import case

OKX, BYBIT = case("okx-2025-position-builder"), case("bybit-uta-portfolio-margin")
#: What the venue's documented answer has, by level.
ANSWER = {
    "acctLever", "assets", "borrowMmr", "derivMmr", "eq", "marginRatio", "positions", "riskUnitData",
    "totalImr", "totalMmr", "ts", "upl",
}  # fmt: skip
UNIT = {
    "delta", "gamma", "imr", "imrBf", "mmr", "mmrBf", "mr1", "mr1FinalResult", "mr1Scenarios", "mr2", "mr3",
    "mr4", "mr5", "mr6", "mr6FinalResult", "mr7", "mr8", "mr9", "portfolios", "riskUnit", "theta", "upl",
    "vega",
}  # fmt: skip
PORTFOLIO = {
    "amt", "avgPx", "delta", "floatPnl", "gamma", "instId", "instType", "isRealPos", "markPx", "markPxBf",
    "notionalUsd", "posSide", "theta", "vega",
}  # fmt: skip
FIGURES = {
    "eq": "adjusted_equity",
    "derivMmr": "derivatives_mmr",
    "borrowMmr": "borrow_mmr",
    "totalMmr": "mmr",
    "totalImr": "imr",
    "upl": "upl",
    "marginRatio": "margin_ratio",
    "acctLever": "leverage",
}


def answer(document: Any, venue: VenueFormat) -> Any:
    book = read_book(document, shipped_library())
    return venue.of(book, report_of(book, "0"))


@pytest.fixture(scope="module")
def okx() -> Any:
    told = answer(OKX["book"], VenueFormat.OKX)
    assert (told["code"], told["msg"]) == ("0", "")
    [data] = told["data"]
    return data


@pytest.fixture(scope="module")
def bybit() -> Any:
    return answer(BYBIT["book"], VenueFormat.BYBIT)["result"]


def close(text: str, value: float) -> bool:
    return float(text) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_okx_has_the_fields_of_the_documented_answer(okx: Any) -> None:
    assert okx.keys() == ANSWER
    for unit in okx["riskUnitData"]:
        assert unit.keys() == UNIT
        assert all(row.keys() == PORTFOLIO for row in unit["portfolios"])
    assert {*okx["assets"][0]} == {"availEq", "borrowImr", "borrowMmr", "ccy", "spotInUse"}
    assert okx["ts"] == "1736936801642"


def test_okx_has_the_published_figures(okx: Any) -> None:
    for name, ours in FIGURES.items():
        assert close(okx[name], OKX["expected"]["account"][ours]), name
    assert close(okx["assets"][0]["availEq"], -78589.37)


@pytest.mark.parametrize("coin", ["BTC", "LTC"])
def test_okx_has_the_published_risk_unit(okx: Any, coin: str) -> None:
    [unit] = [unit for unit in okx["riskUnitData"] if unit["riskUnit"] == coin]
    published = OKX["expected"]["risk_units"][coin]
    for name, value in published["components"].items():
        assert close(unit[name], value), name
    for name, ours in {"mmr": "mmr", "imr": "imr", "upl": "upl", "delta": "cash_delta"}.items():
        assert close(unit[name], published[ours]), name
    for column in ("volShockDown", "volSame", "volShockUp"):
        cells = unit["mr1Scenarios"][column]
        assert cells.keys() == published["pnl_at_each_vol"].keys()
        assert all(close(cells[move], value) for move, value in published["pnl_at_each_vol"].items())
    assert float(unit["mr1FinalResult"]["spotShock"]) == published["worst_price_move"]
    assert close(unit["mr1FinalResult"]["pnl"], -published["components"]["mr1"])


def test_okx_has_the_published_extremes_and_positions(okx: Any) -> None:
    btc, ltc = okx["riskUnitData"]
    assert close(btc["mr6FinalResult"]["pnl"], -2328.8218489440005)
    assert close(ltc["mr6FinalResult"]["pnl"], -367.0134561144)
    assert [unit["mr6FinalResult"]["spotShock"] for unit in (btc, ltc)] == ["0.24", "-0.36"]
    [position] = btc["portfolios"]
    wanted = {
        "amt": "-10",
        "avgPx": "100000",
        "instId": "BTC-USDT-SWAP",
        "instType": "SWAP",
        "markPx": "97093.7",
    }
    assert wanted.items() <= position.items()
    assert close(position["floatPnl"], 290.63)
    assert close(position["notionalUsd"], 9703.22)
    assert close(position["delta"], -9704.903689800001)


def test_bybit_has_the_published_ranges(bybit: Any) -> None:
    [unit] = bybit["assetPnlRange"]
    expected, tolerance = BYBIT["expected"], BYBIT["absolute_tolerance"]
    assert (unit["baseCoin"], unit["maxLossPriceMove"], unit["maxLossIvShock"]) == ("BTC", "-0.1", "-0.2")
    [perpetual] = unit["perpPositionPnlRanges"]
    for row, (move, value) in zip(perpetual["pnlRanges"], _ascending(expected["perp_pnl"]), strict=True):
        assert float(row["priceScale"]) == float(move)
        assert [float(pnl) for pnl in row["pnls"]] == [pytest.approx(value, abs=tolerance["perp_pnl"])]
    [expiry] = unit["optionExpiryDatePnlRanges"]
    [option] = expiry["optionPositionPnlRanges"]
    assert (expiry["expiryDateRepresentation"], option["symbolName"]) == (
        "25SEP26",
        "BTC-25SEP26-80000-C-USDT",
    )
    up_same_down = _ascending(expected["option_pnl_up_same_down"])
    for row, (_, values) in zip(option["pnlRanges"], up_same_down, strict=True):
        assert [float(pnl) for pnl in row["pnls"]] == pytest.approx(values, abs=tolerance["option_pnl"])


def test_bybit_has_the_published_totals_and_contingencies(bybit: Any) -> None:
    [unit] = bybit["assetPnlRange"]
    totals = {name: float(each["pnlRanges"][0]["pnls"][0]) for name, each in unit["totalPnlRanges"].items()}
    assert totals == pytest.approx(
        {"ALL": -1004.7471, "PERPETUAL": -972.1448288, "OPTION": -39.65273684}, abs=5e-5
    )
    published = BYBIT["expected"]["components"]["perp_futures"]
    assert float(unit["contingency"]["futureContingency"]) == pytest.approx(published, abs=1e-6)
    assert bybit["wallet"].keys() == {
        "equity", "cashBalance", "marginBalance", "availableBalance", "accountIM", "accountMM",
        "accountIMRate", "accountMMRate",
    }  # fmt: skip


def _ascending(cells: dict[str, Any]) -> list[tuple[str, Any]]:
    return sorted(cells.items(), key=lambda cell: float(cell[0]))


def test_another_methodology_leaves_empty_what_it_has_no_figure_for() -> None:
    for venue in VenueFormat:
        told = answer(OKX["book"] | {"methodology": "standard", "parameters": None}, venue)
        assert told
    [data] = answer(OKX["book"] | {"methodology": "standard", "parameters": None}, VenueFormat.OKX)["data"]
    assert all(unit["mr1"] == unit["mr6FinalResult"]["pnl"] == "" for unit in data["riskUnitData"])
    assert all(unit["mmr"] for unit in data["riskUnitData"])
