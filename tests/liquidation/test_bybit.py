"""Plans under bybit-uta, by hand: a perpetual requires 10.03 %, a step takes a fifth, the goal is 90 %."""

from typing import Any

import pytest

from liquidation.planner.plan import Trigger
from tests.liquidation.invariants import check_every_rule
from tests.liquidation.support import Document, by, cash, held, kinds, plan, traded
from tests.margin.engine.support import CALL, PERPETUAL, book, option, order, position

SWAP = PERPETUAL["id"]
#: 10 % of a million and 0.03 % of it on top.
REQUIRED = 100_300


def bybit(*rows: Any, **fields: Any) -> Document:
    return by("bybit-uta", book(*rows, **fields))


def test_a_borrower_at_85_percent_repays_and_keeps_every_position_and_order() -> None:
    # 10,000 USDC owed cost 2 %: 100,500 required of 128,000 - 10,000 is 85.2 %.
    orders = [order(PERPETUAL, "sell", 1)]
    found = check_every_rule(bybit([position(SWAP, 10)], orders, balances={"USDT": 128_000, "USDC": -10_000}))
    assert found["initial"]["mmr_rate"] == pytest.approx((REQUIRED + 200) / 118_000)
    assert found["initial"]["status"] == "repay"
    assert (found["trigger"], kinds(found), found["outcome"]) == ("repay", ["repay"], "safe")
    (conversion,) = found["steps"][0]["conversions"]
    assert (conversion["sell"], conversion["buy"]) == ("USDT", "USDC")
    assert float(conversion["amount"]) == pytest.approx(10_000 / 0.999)
    assert 0.0 <= cash(found)["USDC"] < 1e-6
    assert held(found) == {SWAP: 10}
    assert len(found["account"]["orders"]) == 1


def test_a_small_debt_is_repaid_for_less_than_a_dollar_of_the_deficit() -> None:
    found = check_every_rule(bybit([position(SWAP, 10)], balances={"USDT": 118_000, "USDC": -20}))
    assert found["initial"]["mmr_rate"] == pytest.approx((REQUIRED + 0.4) / 117_980)
    # 40 cents are required no more, two are paid: the deficit falls by 0.4 - 0.9 * 0.02.
    (step,) = found["steps"]
    lowered = step["before"]["deficit"] - step["after"]["deficit"]
    assert (step["kind"], found["outcome"]) == ("repay", "safe")
    assert lowered == pytest.approx(0.382, abs=1e-4)


def test_an_account_at_100_percent_is_cut_to_90() -> None:
    found = check_every_rule(bybit([position(SWAP, 10)], balances={"USDT": 95_000}))
    # A fifth of 10 leaves 80,240 required; 94,900 cover it at 84.6 %.
    assert [traded(step) for step in found["steps"]] == [{SWAP: -2}]
    assert found["initial"]["deficit"] == pytest.approx(REQUIRED - 0.9 * 95_000)
    assert found["steps"][0]["after"]["mmr_rate"] == pytest.approx(0.8 * REQUIRED / 94_900)
    assert (found["steps"][0]["component"], found["outcome"]) == ("max_loss", "safe")
    leads = "max loss (USD 100,000.00) leads BTC, which requires USD 100,300.00: "
    assert found["steps"][0]["reason"].startswith(leads)


def test_at_100_percent_orders_go_then_debts_then_positions() -> None:
    orders = [order(PERPETUAL, "sell", 1)]
    found = check_every_rule(bybit([position(SWAP, 10)], orders, balances={"USDT": 105_000, "USDC": -20_000}))
    assert kinds(found) == ["cancel_orders", "repay", "close", "close"]
    # 84,980 are left after the conversion's 20: 8 coins (80,240) are above 90 % of 84,880, 6 below.
    assert [traded(step) for step in found["steps"][2:]] == [{SWAP: -2}, {SWAP: -2}]


def test_long_options_stay_while_anything_else_helps() -> None:
    positions = [position(SWAP, 10), position(CALL, 2, 0.05)]
    found = check_every_rule(bybit(positions, balances={"USDT": 70_000, "BTC": 0.01}))
    # The perpetual alone is sold, a fifth of it at a time, until what is left of it is covered; the calls,
    # worth 10,000 of premium, would be the cheaper way to cash.
    assert set(kinds(found)) == {"close"}
    assert {name for step in found["steps"] for name in traded(step)} == {SWAP}
    assert traded(found["steps"][0]) == {SWAP: -2}
    assert held(found)[CALL["id"]] == 2
    assert found["steps"][-1]["after"]["mmr_rate"] <= 0.9 and found["outcome"] == "safe"


def test_long_options_are_sold_when_nothing_else_lowers_the_deficit() -> None:
    put = option("USDT", 90_000, "put", 60)
    found = check_every_rule(bybit([position(put, 10, 5_000)], balances={"USDT": -20_000}, instruments=[put]))
    # 50,000 of premium pay for 20,000 owed; there is nothing to repay with until a put is sold.
    assert kinds(found)[0] == "close"
    assert traded(found["steps"][0]) == {put["id"]: -2}
    assert found["outcome"] == "safe"


def test_a_debt_that_nothing_can_repay_is_let_be_below_100_percent() -> None:
    # Only an unrealised gain stands against the debt, and a gain cannot be sold.
    gain = [position(PERPETUAL, 10, 88_250)]
    found = check_every_rule(bybit(gain, balances={"USDC": -1_000, "USDT": 0}))
    assert found["initial"]["mmr_rate"] == pytest.approx((REQUIRED + 20) / 116_500)
    assert (found["trigger"], found["steps"], found["outcome"]) == ("repay", [], "nothing_to_do")


def test_spot_that_hedges_is_not_sold_to_repay() -> None:
    # 2 BTC short against 2 BTC held lose nothing: 60 for the perpetual and 2 % of 191,500 are required of
    # 196,000 - 191,500. Without the spot the short would require 19,000 more.
    balances = {"BTC": 2, "USDT": -191_500}
    found = check_every_rule(bybit([position(SWAP, -2)], balances=balances, hedge_mode="spot_hedge"))
    assert found["initial"]["mmr_rate"] == pytest.approx(3_890 / 4_500)
    assert (found["trigger"], found["steps"], found["outcome"]) == ("repay", [], "nothing_to_do")


def test_a_repayment_that_has_fallen_to_100_percent_goes_on_as_a_liquidation_would() -> None:
    # The case began as a repayment; by now 100,500 are required of 100,000.
    fallen = bybit([position(SWAP, 10)], balances={"USDT": 110_000, "USDC": -10_000})
    found = plan(fallen, Trigger.REPAY)
    assert (found["trigger"], kinds(found), found["outcome"]) == ("repay", ["repay"], "safe")
    gain = bybit([position(SWAP, 10, 89_950)], balances={"USDC": -500})
    found = plan(gain, Trigger.REPAY)
    # A closed part of the gain is cash, and cash repays.
    assert kinds(found) == ["close", "repay"]
    assert found["outcome"] == "safe"
