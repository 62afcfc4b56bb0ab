"""Plans under the OKX methodologies and `standard`, each figure worked out by hand.

One contract is one coin (inverse: one dollar), BTC is at 100,000 and stable currencies are at par. A step
takes a quarter, futures cost 0.05 % of their notional, conversions 0.1 %; the target ratio is 1.1.
"""

from math import erf, log, sqrt

import pytest

from tests.liquidation.invariants import check_every_rule
from tests.liquidation.support import Document, by, cash, held, kinds, plan, traded
from tests.margin.engine.support import (
    BTC,
    CALL,
    LISTED,
    PERPETUAL,
    PUT,
    SPOT,
    book,
    future,
    order,
    position,
)

SWAP, USDC_SWAP, INVERSE = PERPETUAL["id"], future("USDC")["id"], future("BTC")["id"]
DATED = future("USDT", 30, 101_000.0)["id"]
ETHER = future("USDT", mark=2_000.0, coin="ETH")


def with_prices(document: Document, **usd: float) -> Document:
    """The book with the prices of more coins."""
    market = document["market"]
    index = market["index"] | {f"{coin}-USD": price for coin, price in usd.items()}
    return document | {"market": market | {"index": index}}


def test_an_account_above_its_threshold_is_left_alone() -> None:
    # 10 BTC require 12 % + 0.2 % = 122,000: a ratio of 1.066 is below the target and above the threshold.
    found = plan(book([position(SWAP, 10)], balances={"USDT": 130_000}))
    assert (found["trigger"], found["outcome"], found["steps"]) == ("none", "nothing_to_do", [])
    assert found["initial"]["deficit"] == pytest.approx(1.1 * 122_000 - 130_000)
    assert held(found) == {SWAP: 10}


def test_a_directional_position_is_closed_in_steps_to_the_target() -> None:
    found = check_every_rule(book([position(SWAP, 10)], balances={"USDT": 70_000}))
    assert kinds(found) == ["close", "close"]
    # A quarter of 10 is 2.5, of the 7 left 1.75: rounded up to 3 and 2 contracts.
    assert [traded(step) for step in found["steps"]] == [{SWAP: -3}, {SWAP: -2}]
    assert [step["cost_usd"] for step in found["steps"]] == [150.0, 100.0]
    # 12,200 a coin: 7 coins leave 1.1 * 85,400 - 69,850 missing, 5 coins nothing.
    assert found["steps"][0]["after"]["deficit"] == pytest.approx(1.1 * 85_400 - 69_850)
    assert found["steps"][1]["after"]["deficit"] == pytest.approx(1.1 * 61_000 - 69_750)
    assert (found["outcome"], cash(found)) == ("safe", {"USDT": 69_750})


def test_a_stablecoin_hedged_book_is_saved_by_the_depeg_hedge_alone() -> None:
    legs = [position(USDC_SWAP, 100), position(SWAP, -100)]
    found = check_every_rule(book(legs, balances={"USDT": 42_500, "USDC": 42_500}))
    # MR9 on 10 m offset: 0.5 %, 1 %, 1.5 % of 1, 4 and 5 m = 120,000; the minimum charge is 90,000.
    assert found["initial"]["mmr"] == pytest.approx(120_000)
    assert kinds(found) == ["ddh1", "ddh1"]
    assert {(step["unit"], step["component"]) for step in found["steps"]} == {("BTC", "mr9")}
    # A quarter of 100 coins on both sides, then of the 75 left: 18.75, so 19.
    assert [traded(step) for step in found["steps"]] == [
        {SWAP: 25, USDC_SWAP: -25},
        {SWAP: 19, USDC_SWAP: -19},
    ]
    # 5.6 m are still offset: 5,000 + 40,000 + 9,000; the equity paid 88 coins' costs of 50.
    assert found["steps"][-1]["after"]["mmr"] == pytest.approx(54_000)
    assert found["steps"][-1]["after"]["adjusted_equity"] == pytest.approx(85_000 - 4_400)
    assert found["outcome"] == "safe"


def test_spot_on_the_usd_side_of_a_pair_leaves_with_its_derivative() -> None:
    found = check_every_rule(book([position(SWAP, -10)], balances={"BTC": 10, "USDT": -966_000}))
    # MR9 5,000 on the million offset leads MR4, 2,000 on the spot and 2,000 on the perpetual.
    step = found["steps"][0]
    assert (step["kind"], step["component"]) == ("ddh1", "mr9")
    assert traded(step) == {SWAP: 3}
    (conversion,) = step["conversions"]
    assert (conversion["sell"], conversion["amount"], conversion["buy"]) == ("BTC", "3", "USDT")
    assert conversion["received"] == "299700"
    assert step["cost_usd"] == pytest.approx(300 + 150)


@pytest.mark.parametrize("other", ["USDT", "USDC"])
@pytest.mark.parametrize("coins", ["0.5", "-0.5"])
def test_little_spot_leaves_or_comes_back_with_its_derivative(coins: str, other: str) -> None:
    # MR9 250 leads MR4's 100 + 100; a debt of half a coin requires 3 % besides.
    long = coins.startswith("-")
    swap, balances = future(other)["id"], {"BTC": coins, other: 51_500 if long else -48_100}
    found = check_every_rule(book([position(swap, coins[1:] if long else f"-{coins}")], balances=balances))
    step = found["steps"][0]
    assert step["before"]["mmr"] == pytest.approx(450 + (0.03 * 50_000 if long else 0.02 * 48_100))
    assert (step["kind"], step["unit"]) == ("ddh1", "BTC")
    assert traded(step) == {swap: -0.5 if long else 0.5}
    (conversion,) = step["conversions"]
    assert (conversion["sell"], conversion["buy"]) == ((other, "BTC") if long else ("BTC", other))
    # 0.1 % on the way, on top of what buys half a coin, or off what half a coin brings.
    sold, received = float(conversion["amount"]), float(conversion["received"])
    assert (sold, received) == pytest.approx((50_000 / 0.999, 0.5) if long else (0.5, 49_950))


def test_a_stablecoin_is_hedged_against_coin_settled_contracts_that_are_held() -> None:
    # 100 coins short in USDT, 10 m dollars long in coin-settled contracts: no spot takes part.
    legs = [position(INVERSE, 10_000_000), position(SWAP, -100)]
    found = check_every_rule(book(legs, balances={"BTC": "0.05", "USDT": 80_000}))
    assert found["initial"]["mmr"] == pytest.approx(120_000)
    step = found["steps"][0]
    assert (step["kind"], step["conversions"]) == ("ddh1", [])
    assert traded(step) == {SWAP: 25, INVERSE: -2_500_000}


def test_a_hedge_says_what_a_currency_off_its_par_costs() -> None:
    # At 0.985 the rates are 0.75 %, 1.75 % and 2.5 % of 1, 4 and 4.85 m.
    legs = [position(USDC_SWAP, 100), position(SWAP, -100)]
    found = check_every_rule(book(legs, balances={"USDT": 150_000}, fx={"USDT": 1.0, "USDC": 0.985}))
    step = found["steps"][0]
    assert (step["kind"], step["component"]) == ("ddh1", "mr9")
    assert "USDC against USDT offset USD 9,850,000.00 and cost USD 198,750.00 of it" in step["reason"]


def test_the_coarser_contract_sets_the_lots_of_a_stablecoin_hedge() -> None:
    # 100 coins on either side, in contracts of a hundredth and of a tenth of a coin.
    fine, coarse = PERPETUAL | {"contract_size": 0.01}, future("USDC") | {"contract_size": 0.1}
    legs = [position(fine, -10_000), position(coarse, 1_000)]
    balances = {"USDT": 42_500, "USDC": 42_500}
    found = check_every_rule(book(legs, balances=balances, instruments=[fine, coarse]))
    assert (found["steps"][0]["kind"], found["initial"]["mmr"]) == ("ddh1", pytest.approx(120_000))
    # A quarter of 100 coins, then of the 75 left: 18.75 are 187.5 coarse contracts, so 188.
    assert [traded(step) for step in found["steps"]] == [
        {SWAP: 2_500, USDC_SWAP: -250},
        {SWAP: 1_880, USDC_SWAP: -188},
    ]


def test_spot_leaves_with_the_largest_derivative_that_it_faces() -> None:
    # 60 coins of the perpetual are 6 m, 40 of the future 4.04 m; 10 m of spot are offset: 120,000 of MR9.
    # MR4 is 20,000 on the spot, 12,000 on the perpetual and 0.2 % + 5 % * 30 / 365 of the future's value.
    legs = [position(DATED, -40, 101_000), position(SWAP, -60)]
    found = check_every_rule(book(legs, balances={"BTC": 100, "USDT": -9_500_000}))
    step = found["steps"][0]
    dated = 4_040_000 * (0.002 + 0.05 * 30 / 365)
    assert step["before"]["mmr"] == pytest.approx(120_000 + 32_000 + dated + 0.08 * 9_500_000)
    assert (step["kind"], step["component"]) == ("ddh1", "mr9")
    # A quarter of what the pair offsets, 100 coins; not of the 60 that face it there.
    assert traded(step) == {SWAP: 25}
    assert [(row["sell"], row["amount"], row["buy"]) for row in step["conversions"]] == [
        ("BTC", "25", "USDT")
    ]


def test_spot_leaves_with_a_derivative_of_its_own_coin() -> None:
    # 3 m of ether's perpetuals, long and short, require 0.45 % of both: 27,000. Bitcoin is the larger unit by
    # 20,000 of MR9 and 10,000 of MR4, though its perpetual is smaller.
    twin = ETHER | {"id": "ETH-USDT-SWAP2"}
    rows = [position(SWAP, -25), position(ETHER, -1_500, 2_000), position(twin, 1_500, 2_000)]
    balances = {"BTC": 25, "USDT": -2_300_000}
    document = with_prices(book(rows, balances=balances, instruments=(*LISTED, ETHER, twin)), ETH=2_000.0)
    found = check_every_rule(document)
    step = found["steps"][0]
    assert step["before"]["mmr"] == pytest.approx(30_000 + 27_000 + 0.04 * 2_300_000)
    assert (step["kind"], step["unit"], traded(step)) == ("ddh1", "BTC", {SWAP: 7})


def test_an_option_writer_is_hedged_and_no_option_is_traded() -> None:
    # A coin-settled call of 5,000: writing ten owes half a bitcoin, 1.5 are put up.
    found = check_every_rule(book([position(CALL, -10, 0.05)], balances={"BTC": 1.0, "USDT": 33_000}))
    assert set(kinds(found)) == {"ddh2"}
    assert held(found)[CALL["id"]] == -10
    # At the money N(d1) with d1 half of 55 % * sqrt(30 d): the call's delta is 0.53, the unit's 5.31, of
    # which 1 is spot in use. A quarter of the rest, 1.08, is rounded up to 2 contracts.
    delta = 0.5 * (1 + erf(0.55 * sqrt(30 / 365) / 2 / sqrt(2)))
    assert 0.25 * (10 * delta - 1) == pytest.approx(1.08, abs=0.01)
    assert traded(found["steps"][0]) == {SWAP: 2}
    assert found["steps"][0]["reason"].endswith(f", 2 contracts of {SWAP} bought")
    assert 0 < held(found)[SWAP] <= 10 * delta - 1
    assert found["outcome"] == "safe"


@pytest.mark.parametrize(("puts", "size", "sold"), [(10, 1, 1), (3, 0.1, 3)])
def test_a_put_writer_is_hedged_by_a_sale(puts: int, size: float, sold: int) -> None:
    # A put of 5,000 owes as much of the 9,000 put up, and loses more than the 4,000 left: at 88,000 and 75 %
    # it is worth some 11,800, where it was worth 4,350 by its volatility.
    listed = [PUT, PERPETUAL | {"contract_size": size}]
    document = book([position(PUT, -puts, 5_000)], balances={"USDC": 9_000 * puts}, instruments=listed)
    found = check_every_rule(document)
    stdev = 0.55 * sqrt(60 / 365)
    delta = 1 - 0.5 * (1 + erf((log(100 / 90) / stdev + stdev / 2) / sqrt(2)))
    # 0.28 coins long by each put. Of ten puts a quarter is 0.70 coins, of three 0.21: one contract of a coin,
    # three of a tenth.
    assert delta == pytest.approx(0.280, abs=0.001)
    assert (found["steps"][0]["kind"], traded(found["steps"][0])) == ("ddh2", {SWAP: -sold})
    assert found["steps"][0]["reason"].endswith(f", {sold} contract{'s' * (sold > 1)} of {SWAP} sold")


def test_cash_and_carry_is_reduced_leg_by_leg() -> None:
    carry = book([position(DATED, -10, 101_000)], balances={"BTC": 10, "USDT": -965_000})
    found = check_every_rule(carry)
    step = found["steps"][0]
    # MR4: 0.2 % of the spot's million, 0.2 % + 5 % * 30 / 365 of the future's 1.01 m; above MR9's 5,000.
    mr4 = 2_000 + 1_010_000 * (0.002 + 0.05 * 30 / 365)
    assert step["before"]["mmr"] == pytest.approx(mr4 + 5_000 + 0.02 * 965_000)
    assert (step["kind"], step["component"], step["unit"]) == ("basis", "mr4", "BTC")
    assert traded(step) == {DATED: 3}
    assert [(row["sell"], row["amount"]) for row in step["conversions"]] == [("BTC", "3")]
    # 300,000 arrive less 0.1 %, and 303,000 of futures cost 0.05 %.
    owed = 965_000 - 299_700 + 151.5
    rest = 1_400 + 707_000 * (0.002 + 0.05 * 30 / 365) + 3_500
    assert step["after"]["mmr"] == pytest.approx(rest + 0.02 * owed)
    assert step["after"]["adjusted_equity"] == pytest.approx(0.98 * 700_000 - owed)


def test_coins_owed_are_bought_back_as_the_long_future_is_sold() -> None:
    owing = book([position(DATED, 10, 101_000)], balances={"BTC": -10, "USDT": 1_041_000})
    found = check_every_rule(owing)
    step = found["steps"][0]
    mr4 = 2_000 + 1_010_000 * (0.002 + 0.05 * 30 / 365)
    assert step["before"]["mmr"] == pytest.approx(mr4 + 5_000 + 0.03 * 1_000_000)
    assert (step["kind"], traded(step)) == ("basis", {DATED: -3})
    (conversion,) = step["conversions"]
    assert (conversion["sell"], conversion["buy"], conversion["received"]) == ("USDT", "BTC", "3")
    assert float(conversion["amount"]) == pytest.approx(300_000 / 0.999)
    assert f"both legs of {DATED} against the spot, which hedge 10 BTC, are reduced" in step["reason"]


def test_basis_is_reduced_where_it_costs_most() -> None:
    # Bitcoin's calendar is a million, ether's two.
    dated = future("USDT", 30, 2_020.0, "ETH")
    calendars = [position(SWAP, -10), position(DATED, 10, 101_000)]
    calendars += [position(ETHER, -1_000, 2_000), position(dated, 1_000, 2_020)]
    document = book(calendars, balances={"USDT": 26_000}, instruments=(*LISTED, ETHER, dated))
    found = check_every_rule(with_prices(document, ETH=2_000.0))
    assert found["initial"]["mmr"] == pytest.approx(9_045 + 18_090)
    step = found["steps"][0]
    assert (step["kind"], step["unit"]) == ("basis", "ETH")
    assert traded(step) == {ETHER["id"]: 250, dated["id"]: -250}
    mr4 = 4_000 + 2_020_000 * (0.002 + 0.05 * 30 / 365)
    assert step["reason"].startswith(f"mr4 of ETH (USD {mr4:,.2f}) is the largest of all units")


def test_a_calendar_is_reduced_on_both_legs_alike() -> None:
    found = check_every_rule(
        book([position(SWAP, -10), position(DATED, 10, 101_000)], balances={"USDT": 9_000})
    )
    # The minimum charge, 0.45 % of 2.01 m gross, requires 9,045; 3 of 10 contracts leave on either side.
    assert found["initial"]["mmr"] == pytest.approx(9_045)
    assert kinds(found) == ["basis"]
    assert traded(found["steps"][0]) == {SWAP: 3, DATED: -3}
    assert found["steps"][0]["after"]["mmr"] == pytest.approx(0.7 * 9_045)


def test_orders_go_first_and_may_be_all() -> None:
    orders = [order(PERPETUAL, "buy", 5), order(SPOT, "sell", 1)]
    found = check_every_rule(book([position(SWAP, 5)], orders, balances={"USDT": 70_000}))
    # 5 more on order require 122,000; without them 61,000 are covered 1.15 times.
    assert kinds(found) == ["cancel_orders"]
    assert (found["steps"][0]["cancelled"], found["account"]["orders"]) == (2, [])
    assert (found["steps"][0]["component"], found["outcome"]) == (None, "safe")
    assert found["steps"][0]["reason"].startswith("2 open orders could add risk")


def test_a_borrower_repays_before_closing_when_debt_is_most_of_the_requirement() -> None:
    positions = [position(SWAP, 0.1)]
    found = check_every_rule(book(positions, balances={"BTC": 2, "USDT": -190_000}))
    # 2 % of 190,000 owed against 1,220 for the position; equity is 196,000 - 190,000.
    assert found["initial"]["mmr"] == pytest.approx(3_800 + 1_220)
    assert kinds(found) == []  # 1.15 times the requirement: nothing is wrong yet
    found = check_every_rule(book(positions, balances={"BTC": 2, "USDT": -192_000}))
    assert kinds(found) == ["repay"]
    (conversion,) = found["steps"][0]["conversions"]
    # 192,000 at 100,000 a coin and 0.1 % for the conversion.
    assert float(conversion["amount"]) == pytest.approx(1.92 / 0.999)
    assert float(conversion["received"]) == pytest.approx(192_000)
    assert cash(found)["USDT"] >= 0.0
    assert held(found) == {SWAP: 0.1}


def test_collateral_beyond_the_order_goes_by_what_it_is_worth() -> None:
    # 5,000 ADA at 1 count 80 %, 600 SOL at 200 count 95 %: 118,000 against 116,000 owed, which require 2 %.
    found = check_every_rule(
        with_prices(book(balances={"ADA": 5_000, "SOL": 600, "USDT": -116_000}), ADA=1.0, SOL=200.0)
    )
    assert found["initial"]["adjusted_equity"] == pytest.approx(2_000)
    assert found["initial"]["mmr"] == pytest.approx(2_320)
    assert kinds(found) == ["repay"]
    (conversion,) = found["steps"][0]["conversions"]
    assert (conversion["sell"], conversion["buy"]) == ("SOL", "USDT")
    assert float(conversion["amount"]) == pytest.approx(116_000 / 0.999 / 200)


def test_costs_are_paid_in_a_settlement_currency_away_from_par() -> None:
    fx = {"USDT": 0.99, "USDC": 1.0}
    found = check_every_rule(book([position(SWAP, 10)], balances={"USDT": 70_000}, fx=fx))
    step = found["steps"][0]
    # Three contracts of 100,000 USDT, at 99 cents each: 0.05 % are 148.50 dollars, or 150 USDT.
    assert traded(step) == {SWAP: -3}
    assert step["cost_usd"] == pytest.approx(148.5, rel=1e-12)
    assert [trade["cost_usd"] for trade in step["trades"]] == [step["cost_usd"]]


def test_a_hopeless_account_is_taken_over_with_what_it_lacks() -> None:
    losing = book([position(SWAP, 10, 120_000)], [order(PERPETUAL, "buy", 1)], {"USDT": 190_000})
    found = check_every_rule(losing)
    # 10 * 20,000 lost of 190,000: orders are cancelled, and nothing is closed.
    assert (kinds(found), found["outcome"]) == (["cancel_orders"], "takeover")
    assert found["steps"][0]["reason"].startswith("1 open order could add risk")
    assert found["shortfall_usd"] == pytest.approx(10_000)
    assert held(found) == {SWAP: 10}


def test_an_account_whose_equity_is_used_up_exactly_is_hopeless() -> None:
    found = check_every_rule(book([position(SWAP, 10)], balances={"USDT": 0}))
    assert (found["steps"], found["outcome"], found["shortfall_usd"]) == ([], "takeover", 0.0)


def test_dust_is_closed_whole() -> None:
    found = check_every_rule(book([position(SWAP, "0.00009")], balances={"USDT": 1}))
    # 9 dollars of notional, under the smallest order of 10: no quarter of it, and no whole contract.
    assert traded(found["steps"][0]) == {SWAP: -0.00009}
    assert (held(found), found["outcome"]) == ({}, "safe")


def test_a_rest_that_would_be_dust_goes_with_the_step() -> None:
    found = check_every_rule(book([position(SWAP, "0.00011")], balances={"USDT": 0.5}))
    assert traded(found["steps"][0]) == {SWAP: -0.00011}


def test_classic_hedges_each_settlement_group_with_its_own_perpetual() -> None:
    written = book([position(CALL, -10, 0.05)], balances={"BTC": 1.0, "USDT": 20_000})
    found = check_every_rule(by("okx-classic", written))
    step = found["steps"][0]
    assert (step["kind"], step["unit"]) == ("delta_hedge", "BTC-USD")
    # 5.31 coins net at 100,000 contracts a coin, a quarter of them.
    assert list(traded(step)) == [INVERSE]
    assert traded(step)[INVERSE] == pytest.approx(0.25 * 5.314e5, rel=1e-3)
    assert CALL["id"] not in {name for step in found["steps"] for name in traded(step)}


@pytest.mark.parametrize(
    ("gone", "hedge"),
    [
        ((), SWAP),
        ((SWAP,), USDC_SWAP),
        ((SWAP, USDC_SWAP), INVERSE),
        ((SWAP, USDC_SWAP, INVERSE), DATED),
    ],
)
def test_the_hedge_is_the_first_of_the_listed_instruments(gone: tuple[str, ...], hedge: str) -> None:
    listed = [item for item in LISTED if item["id"] not in gone]
    written = book(
        [position(CALL, -10, 0.05)], balances={"BTC": 1.0, "USDT": 33_000, "USDC": 1}, instruments=listed
    )
    step = plan(written)["steps"][0]
    assert (step["kind"], list(traded(step))) == ("ddh2", [hedge])


def test_a_hedge_is_not_settled_in_a_currency_without_a_price() -> None:
    written = book([position(CALL, -10, 0.05)], balances={"BTC": 1.0, "USDC": 33_000}, fx={"USDC": 1.0})
    step = plan(written)["steps"][0]
    # The perpetual in USDT would come first, were there a rate for USDT.
    assert (step["kind"], list(traded(step))) == ("ddh2", [USDC_SWAP])


def test_standard_closes_what_saves_most_for_its_cost() -> None:
    # 30 coins fall into the tier of 1 %, 10 into 0.4 %: reducing 30 by 8 saves more for a dollar.
    pair = [position(SWAP, 30), position(USDC_SWAP, -10)]
    found = check_every_rule(by("standard", book(pair, balances={"USDT": 20_000, "USDC": 10_000})))
    assert found["initial"]["mmr"] == pytest.approx(30_000 + 4_000)
    assert traded(found["steps"][0]) == {SWAP: -8}
    assert found["steps"][0]["after"]["mmr"] == pytest.approx(22_000 + 4_000)
    assert (kinds(found), found["outcome"]) == (["close"], "safe")


def test_a_delta_neutral_unit_is_reduced_as_a_whole() -> None:
    # Same expiry, same currency: long and short of two perpetuals that no single close can improve.
    twin = future("USDT") | {"id": "BTC-USDT-SWAP2"}
    legs = [position(SWAP, 100), position(twin, -100)]
    found = check_every_rule(book(legs, balances={"USDT": 88_000}, instruments=(*LISTED, twin)))
    # Nothing but the minimum charge: 0.45 % of 20 m.
    assert found["initial"]["mmr"] == pytest.approx(90_000)
    assert (found["steps"][0]["unit"], traded(found["steps"][0])) == ("BTC", {SWAP: -25, twin["id"]: 25})
    assert kinds(found) == ["close"]
    assert found["steps"][0]["cost_usd"] == BTC * 50 * 0.0005
