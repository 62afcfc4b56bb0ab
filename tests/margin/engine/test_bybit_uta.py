"""bybit-uta rule by rule, in figures that can be worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from margin.engine.documents.book import book_of, read_book
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.pipeline import margin_book
from margin.engine.report import ReportHeader, render
from margin.parameter_files import shipped_library
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

S = 60_000.0


def exact(value: float | list[float]) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def uta(*args: Any, parameters: str | None = "2025-01-10", **fields: Any) -> Document:
    """A book document of this methodology."""
    return book(*args, **fields) | {"methodology": "bybit-uta", "parameters": parameters}


def charge(name: str, held: dict[str, float], instruments: list[Document]) -> float:
    """One component of holdings, by instrument id, at an index of 60,000."""
    rows = [position(instrument, quantity, S) for instrument, quantity in held.items()]
    return float(unit(uta(rows, instruments=instruments, index=S))["components"][name])


def listed(*instruments: Document) -> dict[str, Any]:
    return {"instruments": instruments}


# Maximum loss


def test_a_gain_in_the_binding_cell_lowers_the_maximum_loss() -> None:
    """A long loses 4,500 ten per cent down; a short of another settlement gains 3,000 there."""
    long, hedge = position(PERPETUAL, 0.45), position(future("USDC"), -0.3)
    assert unit(uta([long]))["components"]["max_loss"] == exact(4_500)
    hedged = unit(uta([long, hedge]))
    assert hedged["components"]["max_loss"] == exact(1_500)
    assert hedged["worst"]["price_move"] == -0.1


def test_linear_contract_moves_with_its_own_mark() -> None:
    basis = future("USDT", mark=BTC * 1.05)
    assert unit(uta([position(basis, 2)], **listed(basis)))["components"]["max_loss"] == exact(0.21 * BTC)


def test_inverse_contract_pays_coins_at_the_shocked_index() -> None:
    """Coins n m / mark / (1 + m), each worth S (1 + m)."""
    basis = future("BTC", mark=BTC * 1.25)
    entry = unit(uta([position(basis, 125_000)], **listed(basis)))
    assert entry["components"]["max_loss"] == exact(125_000 * 0.1 / 1.25)


def test_option_is_revalued_from_its_mark() -> None:
    """Without volatility a put at the forward is worth the fall; its mark of 500 is what it loses at most."""
    put = option("USDC", BTC, "put", mark=500.0, mark_iv=0.0)
    entry = unit(uta([position(put, 1)], **listed(put)))
    moves = entry["scenarios"]["price_moves"]
    expected = [[exact(max(0.0, -move * BTC) - 500.0)] * 3 for move in moves]
    assert entry["scenarios"]["pnl"] == expected
    assert entry["components"]["max_loss"] == exact(500.0)


def test_coin_settled_option_is_quoted_at_its_forward() -> None:
    put = option("BTC", 110_000.0, "put", mark=0.02, mark_iv=0.0, forward=110_000.0)
    entry = unit(uta([position(put, 1)], **listed(put)))
    assert entry["components"]["max_loss"] == exact(0.02 * 110_000)


@pytest.mark.parametrize(("minutes", "largest"), [(15, 0.075), (30, 0.15), (60, 0.15), (3, 0.015)])
def test_a_move_shrinks_in_the_last_half_hour(minutes: int, largest: float) -> None:
    put = option("USDC", BTC, "put", minutes / 1440, mark=0.0, mark_iv=0.0)
    document = uta([position(put, 1)], parameters="2024-01-01", **listed(put))
    assert unit(document)["scenarios"]["pnl"][0] == [exact(largest * BTC)] * 3


@pytest.fixture(scope="module")
def parameters() -> BybitParameters:
    version = shipped_library().named("bybit-uta", "2025-01-10")
    assert isinstance(version, BybitParameters)
    return version


def test_volatility_shift_decays_with_maturity_and_is_capped(parameters: BybitParameters) -> None:
    factors = parameters.vol.factors(np.array([1.0, 30.0, 186.0]))
    capped = [0.8, 1.0, 1.24]
    assert factors.tolist() == [exact(f) for f in (capped, capped)] + [
        pytest.approx([1 - 0.1156944, 1.0, 1 + 0.1388333], abs=5e-8)
    ]


@pytest.mark.parametrize(("days", "whole"), [(60.0, 60), (59.01, 60), (60.01, 61), (0.25, 30)])
def test_volatility_shift_counts_whole_days(days: float, whole: int) -> None:
    """An at-the-money call is worth F (2 N(s sqrt(T) / 2) - 1)."""
    call = option("USDC", BTC, "call", days, mark=0.0, mark_iv=0.5)
    pnl = unit(uta([position(call, 1)], **listed(call)))["scenarios"]["pnl"][5]
    law = (30 / whole) ** 0.3
    vols = [0.5 * (1 + shift * law) for shift in (-0.2, 0.0, 0.24)]
    assert pnl == [exact(BTC * math.erf(vol * math.sqrt(days / 365 / 8))) for vol in vols]


def test_spot_hedges_only_where_it_helps() -> None:
    """One short perpetual against two coins: the rise costs nothing, and the fall is a gain of the short."""
    entry = unit(uta([position(PERPETUAL, -1)], balances={"BTC": 2}, hedge_mode="spot_hedge"))
    assert entry["spot_in_use"] == 1
    assert entry["components"]["max_loss"] == 0.0
    rows = zip(entry["scenarios"]["price_moves"], entry["scenarios"]["pnl"], strict=True)
    assert all(row == [exact(max(0.0, -move * BTC))] * 3 for move, row in rows)


@pytest.mark.parametrize(
    ("mode", "coin", "in_use"),
    [("spot_hedge", "BTC", 2), ("derivatives_only", "BTC", 0), (None, "BTC", 0), ("spot_hedge", "XRP", 0)],
)
def test_spot_hedges_in_its_mode_and_for_listed_coins(mode: str | None, coin: str, in_use: float) -> None:
    perpetual = future("USDT", coin=coin)
    document = uta(
        [position(perpetual, -2)], balances={coin: 3}, hedge_mode=mode, instruments=[SPOT, perpetual]
    )
    document["market"]["index"] = {f"{coin}-USD": BTC}
    assert unit(document)["spot_in_use"] == in_use


def test_spot_orders_leave_the_hedge_alone() -> None:
    held: dict[str, Any] = {"balances": {"BTC": 1}, "hedge_mode": "spot_hedge"}
    short = [position(PERPETUAL, -3)]
    orders = [order(SPOT, "buy", 2)]
    assert unit(uta(short, orders, **held)) == unit(uta(short, **held))


@pytest.mark.parametrize(
    ("as_of", "version", "largest"),
    [
        ("2025-01-10T07:59:59.999999Z", "2024-01-01", 0.15),
        ("2025-01-10T08:00:00Z", "2025-01-10", 0.10),
    ],
)
def test_the_price_range_narrows_on_10_january_2025(as_of: str, version: str, largest: float) -> None:
    document = uta([position(PERPETUAL, 1)], parameters=None, **listed(PERPETUAL)) | {"as_of": as_of}
    figures = report(document)
    assert figures["parameters"]["version"] == version
    assert figures["risk_units"][0]["scenarios"]["price_moves"][-1] == largest
    assert figures["risk_units"][0]["components"]["max_loss"] == exact(largest * BTC)


# Contingencies


def test_stablecoin_spread_charges_what_the_groups_offset() -> None:
    groups = [future(settle, mark=S) for settle in ("USDT", "USDC", "BTC")]
    held = {"BTC-USDT-SWAP": 2.0, "BTC-USDC-SWAP": -1.5, "BTC-BTC-SWAP": 0.5 * S}
    assert charge("stablecoin_spread", held, groups) == exact(900)
    assert charge("stablecoin_spread", held | {"BTC-USDC-SWAP": 1.5}, groups) == 0.0


def test_short_options_net_within_expiry_and_type() -> None:
    near = [option("USDC", strike, "call", 10, forward=S) for strike in (S, S + 1_000)]
    put, far = option("USDT", S, "put", 10, forward=S), option("USDC", S, "call", 40, forward=S)
    quantities = (-3.0, 1.0, -1.0, 5.0)
    options = [*near, put, far]
    held = {item["id"]: quantity for item, quantity in zip(options, quantities, strict=True)}
    assert charge("short_option", held, options) == exact(1_800)


def test_calendar_charges_the_days_between_the_centres() -> None:
    maturities = [future("USDT", days, S) for days in (None, 30, 90)]
    held = {"BTC-USDT-SWAP": 3.0, "BTC-USDT-30d": -1.0, "BTC-USDT-90d": -1.0}
    assert charge("delta_spread", held, maturities) == exact(2_160)
    assert charge("delta_spread", held | {"BTC-USDT-SWAP": -3.0}, maturities) == 0.0


@pytest.mark.parametrize(("days", "dearer"), [(332, False), (333, True), (400, True)])
def test_a_wide_calendar_may_cost_more_than_one_of_its_legs(days: int, dearer: bool) -> None:
    """A day apart costs 0.03 % without end, a naked leg 10.03 % at most."""
    legs = [PERPETUAL, future("USDT", days)]
    both = unit(uta([position(legs[0], 1), position(legs[1], -1)], **listed(*legs)))
    one = unit(uta([position(legs[0], 1)], **listed(*legs)))
    assert both["components"]["max_loss"] == 0.0
    assert both["mmr"] == exact((days * 0.0003 + 2 * 0.0003) * BTC)
    assert one["mmr"] == exact((0.1 + 0.0003) * BTC)
    assert (both["mmr"] > one["mmr"]) is dearer


def test_perpetuals_and_futures_are_charged_gross() -> None:
    contracts = [future("USDT", mark=S), future("USDC", mark=S), future("BTC", mark=2 * S)]
    assert charge("perp_futures", {"BTC-USDT-SWAP": 1.5, "BTC-USDC-SWAP": -0.5}, contracts) == exact(36)
    assert charge("perp_futures", {"BTC-BTC-SWAP": -2 * S}, contracts) == exact(18)


def test_vega_spread_charges_opposite_vegas_over_their_distance() -> None:
    """At the money a point of vega is F phi(s sqrt(T) / 2) sqrt(T) / 100."""
    days = (20.0, 80.0)
    near, far = (option("USDC", S, "call", d, forward=S, mark_iv=0.5) for d in days)
    points = [
        math.exp(-0.125 * 0.25 * d / 365) / math.sqrt(2 * math.pi) * math.sqrt(d / 365) / 100 for d in days
    ]
    held = {near["id"]: 2.0, far["id"]: -3.0}
    hedged = min(2 * points[0], 3 * points[1])
    assert charge("vega_spread", held, [near, far]) == exact(60 * hedged * 0.0003 * S)
    assert charge("vega_spread", {near["id"]: 2.0, far["id"]: 3.0}, [near, far]) == 0.0


@pytest.mark.parametrize(("premium", "rate"), [(0.2, 0.02), (-0.2, 0.02), (0.15, 0.0), (0.3, 0.065)])
def test_spot_pays_for_the_basis_of_what_it_hedges(premium: float, rate: float) -> None:
    """45 % of the basis, less the threshold of 5 % and the 2 % by which the coin's collateral is cut."""
    perpetual = future("USDT", mark=BTC * (1 + premium))
    rows = [position(perpetual, -2)]
    entry = unit(uta(rows, balances={"BTC": 3}, hedge_mode="spot_hedge", instruments=[perpetual]))
    assert entry["components"]["delta_spread"] == exact(2 * BTC * rate)


def test_the_basis_is_that_of_derivatives_on_the_other_side_of_the_spot() -> None:
    """What stands 20 % above the index is short; a long perpetual at the index has no part in the mean."""
    dear, flat = future("USDT", mark=BTC * 1.2), future("USDC")
    rows = [position(dear, -3), position(flat, 1)]
    entry = unit(uta(rows, balances={"BTC": 2}, hedge_mode="spot_hedge", instruments=[dear, flat]))
    assert entry["spot_in_use"] == 2.0
    assert entry["components"]["delta_spread"] == exact(2 * BTC * (0.45 * 0.2 - 0.05 - 0.02))
    rows = [position(dear, 3), position(flat, -1)]
    entry = unit(uta(rows, balances={"BTC": -2}, hedge_mode="spot_hedge", instruments=[dear, flat]))
    assert entry["spot_in_use"] == -2.0
    assert entry["components"]["delta_spread"] == exact(2 * BTC * (0.45 * 0.2 - 0.05 - 0.02))


def test_contingencies_make_up_the_requirement() -> None:
    rows = [position(PERPETUAL, 2), position(future("BTC"), -BTC), position(option("USDT", BTC), -1)]
    entry = unit(uta(rows, instruments=[PERPETUAL, future("BTC"), option("USDT", BTC)]))
    parts = entry["components"]
    assert list(parts) == [
        "max_loss",
        "short_option",
        "vega_spread",
        "stablecoin_spread",
        "delta_spread",
        "perp_futures",
        "contingency",
    ]
    assert parts["contingency"] == exact(sum(list(parts.values())[1:-1]))
    assert entry["mmr"] == exact(parts["max_loss"] + parts["contingency"])
    assert entry["imr"] == exact(1.2 * entry["mmr"])


# Orders


@pytest.mark.parametrize(
    ("held", "side", "binding", "contracts"),
    [
        (2, "buy", "positive_delta", 5),
        (2, "sell", "positions", 2),
        (-2, "sell", "negative_delta", 5),
        (1, "sell", "negative_delta", 2),
    ],
)
def test_orders_count_by_side_and_never_help(held: int, side: str, binding: str, contracts: int) -> None:
    entry = unit(uta([position(PERPETUAL, held)], [order(PERPETUAL, side, 3)]))
    assert entry["binding"] == binding
    assert entry["mmr"] == exact(contracts * 0.1003 * BTC)


def test_order_loss_is_what_a_fill_would_lose_at_once() -> None:
    inverse, call = future("BTC"), option("USDT", BTC)
    orders = [
        order(PERPETUAL, "buy", 2, 110_000),
        order(PERPETUAL, "buy", 2, 90_000),
        order(PERPETUAL, "sell", 1, 90_000),
        order(inverse, "buy", 100_000, 125_000),
        order(inverse, "sell", 100_000, 80_000),
        order(call, "buy", 1, 90_000),
    ]
    figures = report(uta([], orders, {"USD": 1e6}, instruments=[PERPETUAL, inverse, call]))["account"]
    assert figures["order_loss"] == exact(-20_000 - 10_000 - 20_000 - 25_000)
    base = 1e6 + figures["order_loss"]
    assert figures["mmr_rate"] == exact(figures["mmr"] / base)
    assert figures["imr_rate"] == exact(figures["imr"] / base)
    assert figures["margin_ratio"] == exact(base / figures["mmr"])


@pytest.mark.parametrize(
    ("side", "price", "loss"),
    [("buy", 100_000, 2_000), ("buy", 97_000, 0), ("sell", 97_000, 1_000), ("sell", 100_000, 0)],
)
def test_haircut_loss_is_collateral_that_a_spot_order_gives_up(side: str, price: float, loss: float) -> None:
    """A coin counts for 98 %, a dollar whole."""
    figures = report(uta([], [order(SPOT, side, 1, price)], {"USD": 1e6}))["account"]
    assert figures["haircut_loss"] == exact(loss)
    assert figures["adjusted_equity"] == 1e6


# Account


@pytest.mark.parametrize(
    ("base", "status"),
    [
        (10_030.0, "liquidation"),
        (10_031.0, "warning"),
        (14_328.0, "warning"),
        (14_329.0, "normal"),
        (0.0, "liquidation"),
        (-1.0, "liquidation"),
    ],
)
def test_status_by_maintenance_rate(base: float, status: str) -> None:
    """A lone perpetual needs 10 % of stress and 0.03 % for its size."""
    position_and_cash = uta([position(PERPETUAL, 1)], balances={"USDT": base})
    figures = report(position_and_cash)["account"]
    assert figures["derivatives_mmr"] == exact(10_030)
    assert figures["status"] == status


def test_a_base_of_half_a_dollar_is_a_base() -> None:
    figures = report(uta([position(PERPETUAL, 0.00001)], balances={"USDT": 0.5}))["account"]
    assert (figures["mmr_rate"], figures["status"]) == (exact(0.1003 / 0.5), "normal")


def test_a_debt_asks_nobody_else_in_the_shard_to_repay() -> None:
    """10,030 of 11,000 is 91 %: a warning without a debt, a repayment with one of a dollar."""
    rows = [position(PERPETUAL, 1)]
    books = [
        read_book(uta(rows, balances=balances), shipped_library())
        for balances in ({"USDT": 11_000.0}, {"USDT": 11_001.0, "USDC": -1.0})
    ]
    first = books[0]
    crowd = book_of([read.account_rows for read in books], first.market_rows, first.market)
    margin = margin_book(crowd, first.market, first.parameters)
    header = ReportHeader("", first.parameters.header, "", "")
    assert [render(margin, place, header)["account"]["status"] for place in (0, 1)] == ["warning", "repay"]


@pytest.mark.parametrize(
    ("base", "status"),
    [
        (10_032.0, "liquidation"),
        (11_802.0, "repay"),
        (11_803.0, "warning"),
        (14_331.0, "warning"),
        (14_332.0, "normal"),
    ],
)
def test_a_borrower_repays_before_liquidation(base: float, status: str) -> None:
    """A debt of 100 USDC adds 2 % of itself."""
    balances = {"USD": base + 100, "USDC": -100}
    figures = report(uta([position(PERPETUAL, 1)], balances=balances))["account"]
    assert figures["mmr"] == exact(10_032)
    assert figures["status"] == status


def test_nothing_held_is_normal() -> None:
    figures = report(uta())["account"]
    assert (figures["status"], figures["margin_ratio"], figures["mmr_rate"]) == ("normal", None, None)


def withdrawable(document: Document) -> dict[str, float]:
    return {entry["currency"]: entry["withdrawable"] for entry in report(document)["currencies"]}


def test_without_a_margin_all_of_it_may_leave() -> None:
    assert withdrawable(uta(balances={"USD": 20_000})) == {"USD": 20_000.0}


def test_what_initial_margin_does_not_need_may_leave() -> None:
    """The perpetual needs 1.2 x 10,030 at first."""
    assert withdrawable(uta([position(PERPETUAL, 1)], balances={"USD": 20_000})) == {
        "USD": exact(20_000 - 12_036),
        "USDT": 0.0,
    }


@pytest.mark.parametrize(
    ("coins", "dollars", "free"), [(1, 0, 1 - 12_036 / 98_000), (1, 12_036, 1), (0.1, 0, 0), (1, -1e6, 0)]
)
def test_discounted_collateral_leaves_by_what_it_counts_for(
    coins: float, dollars: float, free: float
) -> None:
    balances = {"BTC": coins, "USD": dollars}
    assert withdrawable(uta([position(PERPETUAL, 1)], balances=balances))["BTC"] == exact(free)


def test_coins_that_hedge_stay() -> None:
    """Two of five coins cover the short; the rest may go as far as the dollars cover the margin."""
    document = uta([position(PERPETUAL, -2)], balances={"BTC": 5, "USD": 1e6}, hedge_mode="spot_hedge")
    assert withdrawable(document)["BTC"] == 3.0


def test_a_loss_not_yet_settled_stays_covered() -> None:
    """A perpetual's loss of 10,000 USDT takes as much of the cash as the margin does."""
    losing = position(PERPETUAL, 1, BTC + 10_000)
    assert withdrawable(uta([losing], balances={"USDT": 50_000}))["USDT"] == exact(40_000 - 12_036)


def test_order_losses_hold_money_back() -> None:
    orders = [order(PERPETUAL, "sell", 0.5, 90_000), order(SPOT, "buy", 1, BTC)]
    document = uta([position(PERPETUAL, 1)], orders, {"USD": 20_000})
    assert withdrawable(document)["USD"] == exact(20_000 - 12_036 - 5_000 - 2_000)
