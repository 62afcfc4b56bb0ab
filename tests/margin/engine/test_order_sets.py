"""Which orders count: every set by what it contains, and the lower of with and without spot orders."""

import pytest

from tests.margin.engine.support import (
    BTC,
    LISTED,
    PERPETUAL,
    SPOT,
    Document,
    book,
    option,
    order,
    position,
    report,
    unit,
)

#: No volatility and far away: exactly no delta, bought or sold.
DUST = option("USDT", 300_000.0, "call", 30, mark=0.0, mark_iv=0.0)
PUT = option("USDT", 90_000.0, "put", 30)
CALL = option("USDT", 110_000.0, "call", 30)
MARKET = (*LISTED, DUST, PUT)

BUY, SELL = order(PERPETUAL, "buy", 2), order(PERPETUAL, "sell", 2)
BIG_BUY, BIG_SELL = order(PERPETUAL, "buy", 9), order(PERPETUAL, "sell", 9)
DUST_BUY, DUST_SELL = order(DUST, "buy", 3, 0), order(DUST, "sell", 3, 0)


def margined(
    positions: list[Document], orders: list[Document], balances: dict[str, float] | None = None
) -> Document:
    listed = {item["id"]: item for item in (*MARKET, CALL)}
    return unit(book(positions, orders, balances, instruments=tuple(listed.values())))


@pytest.mark.parametrize(
    ("held", "orders", "binding"),
    [
        (5, [], "positions"),
        (5, [BUY], "positive_delta"),
        (5, [SELL], "positions"),
        (5, [BIG_SELL], "positions"),
        (5, [order(PERPETUAL, "sell", 12)], "negative_delta"),
        (-5, [BUY], "positions"),
        (-5, [SELL], "negative_delta"),
        (5, [BUY, SELL], "positive_delta"),
        (-5, [BUY, SELL], "negative_delta"),
        (0, [BUY, BIG_SELL], "negative_delta"),
        (0, [BIG_BUY, SELL], "positive_delta"),
        (0, [BUY, SELL], "positive_delta"),
        (5, [DUST_BUY], "positive_delta"),
        (5, [DUST_SELL], "positive_delta"),
        (5, [order(PUT, "buy", 1, 5_000)], "positions"),
        (-5, [order(PUT, "buy", 1, 5_000)], "negative_delta"),
        (5, [order(PUT, "sell", 1, 5_000)], "positive_delta"),
        (-5, [order(CALL, "sell", 1, 5_000)], "negative_delta"),
    ],
)
def test_binding_set(held: int, orders: list[Document], binding: str) -> None:
    assert margined([position(PERPETUAL, held)], orders)["binding"] == binding


def test_total_binds_where_both_sides_cost_and_neither_hedges() -> None:
    """Options so far away that the gross minimum charge decides: it adds up over both sides."""
    put, call = option("USDT", 20_000.0, "put", 7, mark=0.0), option("USDT", 500_000.0, "call", 7, mark=0.0)
    orders = [order(put, "sell", 1, 0), order(call, "sell", 1, 0)]
    entry = unit(book([], orders, instruments=(put, call)))
    assert entry["binding"] == "total"
    assert entry["mmr"] == entry["components"]["mr7"] == pytest.approx(2 * 0.02 * BTC, rel=1e-12)


def as_positions(orders: list[Document]) -> list[Document]:
    return [
        position(
            row["instrument"], row["quantity"] if row["side"] == "buy" else -row["quantity"], row["price"]
        )
        for row in orders
    ]


@pytest.mark.parametrize("held", [-7, 0, 7])
def test_requirement_is_the_worst_of_the_three_sets(held: int) -> None:
    up, down = [BUY, order(PUT, "sell", 2, 5_000)], [SELL, order(CALL, "sell", 4, 5_000)]
    neutral = [DUST_SELL]
    base = [position(PERPETUAL, held)]
    sets = ([*up, *neutral], [*down, *neutral], [*up, *down, *neutral])
    expected = [margined([*base, *as_positions(chosen)], [])["mmr"] for chosen in sets]
    assert margined(base, [*up, *down, *neutral])["mmr"] == pytest.approx(max(expected), rel=1e-12)


def test_an_order_at_the_mark_weighs_as_the_position_it_would_become() -> None:
    """The order's price plays no part."""
    filled = margined([position(PERPETUAL, 7)], [])
    for price in (1.0, BTC, 5 * BTC):
        waiting = margined([position(PERPETUAL, 5)], [order(PERPETUAL, "buy", 2, price)])
        assert (waiting["mmr"], waiting["delta"]) == (filled["mmr"], 7.0)


def test_zero_delta_counts_once_in_the_total() -> None:
    entry = margined([], [BUY, SELL, DUST_SELL])
    both = margined(as_positions([BUY, DUST_SELL]), [])
    assert entry["components"]["mr7"] == both["components"]["mr7"]


@pytest.mark.parametrize(
    ("held", "coins", "side", "binding", "in_use"),
    [
        (-5, 0, "buy", "positions_with_spot_orders", 3.0),
        (-5, 2, "buy", "positions_with_spot_orders", 5.0),
        (-5, 5, "buy", "positions", 5.0),
        (-5, 5, "sell", "positions", 5.0),
        (5, 0, "sell", "positions_with_spot_orders", -3.0),
        (5, 0, "buy", "positions", 0.0),
    ],
)
def test_spot_orders_can_only_help(held: int, coins: int, side: str, binding: str, in_use: float) -> None:
    entry = margined([position(PERPETUAL, held)], [order(SPOT, side, 3)], {"BTC": coins})
    without = margined([position(PERPETUAL, held)], [], {"BTC": coins})
    assert (entry["binding"], entry["spot_in_use"]) == (binding, in_use)
    assert entry["mmr"] <= without["mmr"]


def test_spot_order_beside_the_perpetual_sale_that_it_hedges() -> None:
    """Spot bought against a perpetual being sold lowers the requirement."""
    entry = margined([], [order(PERPETUAL, "sell", 3), order(SPOT, "buy", 3)], {"BTC": 0})
    assert entry["binding"] == "negative_delta_with_spot_orders"
    assert entry["spot_in_use"] == 3.0
    assert entry["mmr"] == pytest.approx(0.009 * 3 * BTC, rel=1e-12)


def test_spot_orders_alone_make_no_unit() -> None:
    """A unit is what has a derivative in it."""
    assert report(book([], [order(SPOT, "buy", 3)], {"USDT": 1}))["risk_units"] == []
