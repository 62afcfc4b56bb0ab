"""Market shifts: the identity, each rule in figures, and consistency with Black-76."""

from dataclasses import fields

import numpy as np
import pytest

from margin.engine import black76
from margin.engine.documents.book import BookDocument, read_book
from margin.engine.market import Market
from margin.engine.shifts import MarketShifts, shifted
from margin.parameter_files import shipped_library
from tests.margin.engine.support import BTC, CALL, LISTED, PUT, book, option

WORTHLESS = option("USDC", 200_000, "call", 5, mark=0.0)
MARKET_BOOK = book(instruments=[*LISTED, WORTHLESS], fx={"USDT": 0.9995, "USDC": 1.0001})


def _book() -> BookDocument:
    return read_book(MARKET_BOOK, shipped_library())


def _market() -> Market:
    return _book().market


def _column(market: Market, name: str, instrument: str) -> float:
    return float(getattr(market.instruments, name)[market.instruments.ids.index(instrument)])


def _model(market: Market, instrument: str) -> float:
    forward, strike, iv, sign = (
        np.array(_column(market, name, instrument)) for name in ("forward", "strike", "mark_iv", "sign")
    )
    years = market.years[market.instruments.ids.index(instrument)]
    return float(black76.value(forward, strike, iv * np.sqrt(years), sign))


@pytest.mark.parametrize(
    "shifts", [MarketShifts(), MarketShifts(price={"BTC": 0.0}, vol_points={"BTC": 0.0}, fx={"USDT": 0.9995})]
)
def test_no_move_leaves_every_bit(shifts: MarketShifts) -> None:
    before = _market()
    after = shifted(before, shifts)
    assert (after.as_of, after.index, after.fx) == (before.as_of, before.index, before.fx)
    for field in fields(before.instruments):
        old, new = (getattr(market.instruments, field.name) for market in (before, after))
        assert np.asarray(old).tobytes() == np.asarray(new).tobytes(), field.name


def test_a_price_move_takes_indices_marks_and_forwards_of_its_coin() -> None:
    before = _market()
    after = shifted(before, MarketShifts(price={"BTC": -0.2}))
    assert after.index == {"BTC-USD": BTC * 0.8}
    for name in ("BTC-USDT-SWAP", "BTC-BTC-60d"):
        assert _column(after, "mark", name) == _column(before, "mark", name) * 0.8
    assert _column(after, "forward", CALL["id"]) == BTC * 0.8
    assert shifted(before, MarketShifts(price={"ETH": -0.2})).index == before.index


@pytest.mark.parametrize("move", [-0.1, 0.25])
def test_an_option_moves_by_its_model_value_in_its_own_quotation(move: float) -> None:
    before = _market()
    after = shifted(before, MarketShifts(price={"BTC": move}))
    put, call = PUT["id"], CALL["id"]
    change = _model(after, put) - _model(before, put)
    assert _column(after, "mark", put) == pytest.approx(max(PUT["mark"] + change, 0.0), rel=1e-12)
    change = _model(after, call) - _model(before, call)
    in_quote = CALL["mark"] * BTC + change
    assert _column(after, "mark", call) == pytest.approx(in_quote / (BTC * (1.0 + move)), rel=1e-12)


def test_a_mark_never_falls_below_zero() -> None:
    after = shifted(_market(), MarketShifts(price={"BTC": -0.9}))
    assert _column(after, "mark", WORTHLESS["id"]) == 0.0
    assert after.instruments.mark.min() == 0.0


def test_volatility_moves_marks_too_and_stops_at_zero() -> None:
    before = _market()
    up = shifted(before, MarketShifts(vol_points={"BTC": 10.0}))
    assert _column(up, "mark_iv", PUT["id"]) == pytest.approx(0.65)
    change = _model(up, PUT["id"]) - _model(before, PUT["id"])
    assert _column(up, "mark", PUT["id"]) == pytest.approx(PUT["mark"] + change, rel=1e-12)
    down = shifted(before, MarketShifts(vol_points={"BTC": -80.0}))
    assert _column(down, "mark_iv", PUT["id"]) == 0.0
    assert up.instruments.mark[~up.instruments.option].tolist() == [
        mark
        for mark, is_option in zip(before.instruments.mark, before.instruments.option, strict=True)
        if not is_option
    ]


def test_time_advances_and_options_decay() -> None:
    before = _market()
    after = shifted(before, MarketShifts(seconds=86_400.0))
    assert (after.as_of - before.as_of).days == 1
    change = _model(after, CALL["id"]) - _model(before, CALL["id"])
    assert change < 0.0
    assert _column(after, "mark", CALL["id"]) == pytest.approx(CALL["mark"] + change / BTC, rel=1e-12)


def test_a_stable_rate_is_replaced_and_quotes_stay() -> None:
    after = shifted(_market(), MarketShifts(fx={"USDT": 0.98}))
    assert after.fx == {"USDT": 0.98, "USDC": 1.0001}
    assert after.instruments.mark.tolist() == _market().instruments.mark.tolist()
