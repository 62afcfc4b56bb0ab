"""standard, position by position, in figures that can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.margin.engine.support import (
    BTC,
    PERPETUAL,
    SPOT,
    Document,
    book,
    future,
    option,
    order,
    position,
    report,
    unit,
)


def exact(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def standard(*positions: Document, **rest: Any) -> Document:
    return book(positions, **rest) | {"methodology": "standard", "parameters": None}


def components(document: Document) -> dict[str, float]:
    found: dict[str, float] = unit(document)["components"]
    return found


# Perpetuals and futures


@pytest.mark.parametrize(
    ("coins", "mmr", "imr"), [(20, 0.004, 0.01), (20.01, 0.01, 0.02), (100, 0.01, 0.02), (600, 0.05, 0.1)]
)
def test_the_whole_position_pays_the_rates_of_its_tier(coins: float, mmr: float, imr: float) -> None:
    for instrument, quantity in ((PERPETUAL, coins), (PERPETUAL, -coins), (future("BTC"), coins * BTC)):
        entry = unit(standard(position(instrument, quantity)))
        assert (entry["mmr"], entry["imr"]) == (exact(mmr * coins * BTC), exact(imr * coins * BTC))


def test_opposite_positions_in_two_instruments_add_up() -> None:
    entry = unit(standard(position(future("USDT"), 15), position(future("USDC"), -15)))
    assert entry["components"] == {"futures": exact(2 * 0.004 * 15 * BTC), "options": 0.0, "orders": 0.0}


def test_positions_of_one_instrument_are_one_position() -> None:
    assert unit(standard(position(PERPETUAL, 15), position(PERPETUAL, -15)))["mmr"] == 0.0
    assert unit(standard(position(PERPETUAL, 15), position(PERPETUAL, 15)))["mmr"] == exact(0.01 * 30 * BTC)


def test_a_unit_names_no_scenario() -> None:
    entry = unit(standard(position(PERPETUAL, 1)))
    assert (entry["unit"], entry["binding"]) == ("BTC", "positions")
    assert entry["scenarios"] is entry["worst"] is None
    assert (entry["delta"], entry["cash_delta"]) == (1.0, BTC)


# Options

INDEX = 20_250.0
PUT = option("USDT", 18_500.0, "put", mark=290.0, forward=INDEX)


def put_book(*rows: tuple[float, float], **rest: Any) -> Document:
    held = [position(PUT, quantity, paid) for quantity, paid in rows]
    return standard(*held, instruments=[PUT], index=INDEX, **rest)


def test_the_published_short_put() -> None:
    entry = unit(put_book((-1, 280.0)))
    assert (entry["mmr"], entry["imr"]) == (exact(938.0), exact(2_315.0))


def test_a_long_option_requires_nothing() -> None:
    entry = unit(put_book((3, 280.0)))
    assert (entry["mmr"], entry["imr"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("rows", "short", "entry"),
    [
        ([(-1, 310.0)], 1, 310.0),
        ([(-3, 310.0), (-1, 350.0)], 4, 320.0),
        ([(2, 900.0), (-3, 310.0), (-1, 350.0)], 2, 320.0),
        ([(-1, 200.0)], 1, 290.0),
        ([(1, 310.0), (-1, 310.0)], 0, 0.0),
    ],
)
def test_the_entry_is_the_mean_of_the_lots_on_the_net_side(
    rows: Sequence[tuple[float, float]], short: float, entry: float
) -> None:
    """Initial margin holds the larger of entry and mark, for what is short in the end."""
    assert unit(put_book(*rows))["imr"] == exact(short * (0.1 * INDEX + entry))


@pytest.mark.parametrize(
    ("strike", "kind", "share"),
    [
        (BTC, "call", 0.15),
        (102_000.0, "call", 0.13),
        (120_000.0, "call", 0.1),
        (90_000.0, "call", 0.15),
        (98_000.0, "put", 0.13),
        (80_000.0, "put", 0.1),
        (110_000.0, "put", 0.15),
    ],
)
def test_initial_margin_falls_with_the_distance_from_the_money(
    strike: float, kind: str, share: float
) -> None:
    written = option("USDT", strike, kind, mark=1_000.0)
    entry = unit(standard(position(written, -1, 1_000.0), instruments=[written]))
    assert entry["imr"] == exact(share * BTC + 1_000.0)


def test_initial_margin_is_never_below_maintenance() -> None:
    """A put worth more than the index: 3 % of its value outgrows everything that initial margin adds."""
    put = option("USDT", 580_000.0, "put", mark=480_000.0)
    entry = unit(standard(position(put, -1, 480_000.0), instruments=[put]))
    assert entry["imr"] == exact(0.15 * BTC + 480_000.0)
    put = option("USDT", 900_000.0, "put", mark=800_000.0)
    entry = unit(standard(position(put, -1, 800_000.0), instruments=[put]))
    assert entry["imr"] == entry["mmr"] == exact(1.03 * 800_000.0 + 0.002 * BTC)


def test_coin_settled_option_is_valued_at_the_index() -> None:
    call = option("BTC", 120_000.0)
    entry = unit(standard(position(call, -2, 0.07), instruments=[call]))
    assert entry["mmr"] == exact(2 * (0.03 + 0.05 + 0.002) * BTC)
    assert entry["imr"] == exact(2 * (0.10 + 0.07) * BTC)


# Orders


@pytest.mark.parametrize(
    ("held", "orders", "opening"),
    [
        (0, [("buy", 2)], [2]),
        (5, [("buy", 2)], [2]),
        (5, [("sell", 3)], []),
        (5, [("sell", 3), ("sell", 4)], [2]),
        (5, [("sell", 4), ("sell", 4), ("sell", 1)], [3, 1]),
        (-5, [("buy", 6), ("sell", 2), ("buy", 1)], [1, 2, 1]),
        (5, [("sell", 30)], [25]),
        (5, [("sell", 5), ("buy", 5)], [5]),
        (15, [("buy", 15)], [15]),
    ],
)
def test_orders_use_up_the_position_and_pay_for_the_rest(
    held: float, orders: Sequence[tuple[str, float]], opening: Sequence[float]
) -> None:
    """Every opening order pays initial margin by its own tier, above 20 coins 2 % in place of 1 %."""
    rows = [order(PERPETUAL, side, quantity) for side, quantity in orders]
    alone, entry = (
        unit(standard(position(PERPETUAL, held))),
        unit(standard(position(PERPETUAL, held), orders=rows)),
    )
    expected = sum((0.02 if coins > 20 else 0.01) * coins * BTC for coins in opening)
    assert entry["components"]["orders"] == exact(expected)
    assert entry["imr"] == exact(alone["imr"] + expected)
    assert entry["mmr"] == alone["mmr"]


def test_the_price_of_an_order_is_its_entry() -> None:
    sale = put_book(orders=[order(PUT, "sell", 1, 400.0)])
    assert components(sale) == {"futures": 0.0, "options": 0.0, "orders": exact(0.1 * INDEX + 400.0)}


def test_buying_options_and_spot_adds_nothing() -> None:
    assert components(put_book(orders=[order(PUT, "buy", 1, 400.0)]))["orders"] == 0.0
    assert report(standard(orders=[order(SPOT, "buy", 1)]))["account"]["imr"] == 0.0


# Account


def test_a_debt_is_margined_and_the_hedge_mode_ignored() -> None:
    document = standard(position(PERPETUAL, -1), balances={"BTC": 1, "USDT": -1_000}, hedge_mode=None)
    figures = report(document)
    assert figures["risk_units"][0]["spot_in_use"] == 0.0
    account = figures["account"]
    assert account["mmr"] == exact(0.004 * BTC + 0.02 * 1_000)
    assert account["imr"] == exact(0.01 * BTC + 0.1 * 1_000)
    assert account["margin_ratio"] == exact((0.98 * BTC - 1_000) / (account["mmr"] + 0.001 * 1_020))
