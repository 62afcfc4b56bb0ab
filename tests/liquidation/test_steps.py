"""What one step does: its size, its effect on cash and positions, its cost; and what a takeover costs."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from liquidation.planner.plan import Plan, Takeover, Trigger
from liquidation.planner.planner import plan_of
from liquidation.planner.sizing import Sizing
from margin.engine import pipeline
from margin.engine.documents.book import read_book
from margin.parameter_files import shipped_library
from tests.liquidation.support import by, cash, held, kinds, plan
from tests.margin.engine.support import CALL, PERPETUAL, book, future, option, order, position, report

SWAP, INVERSE = PERPETUAL["id"], future("BTC")["id"]
QUARTERS = Sizing(step_fraction=Decimal("0.25"), min_order_usd=Decimal(10))


def plan_values(document: dict[str, Any], **rules: Any) -> Plan:
    """The plan of a document under its own parameters with some liquidation rules changed."""
    read = read_book(document, shipped_library())
    liquidation = replace(read.parameters.liquidation, **rules)
    return plan_of(replace(read, parameters=replace(read.parameters, liquidation=liquidation)))


@pytest.mark.parametrize(
    ("meant", "worth", "held", "expected"),
    [
        ("10", "100", "10", "3"),  # 2.5 rounded up
        ("12", "100", "12", "3"),
        ("0.6", "100", "0.6", "0.6"),  # not a whole contract: all there is
        ("0.6", "100", None, "0"),  # nothing opens by a part of a contract
        ("3.7", "100", None, "1"),
        ("1.2", "100", None, "1"),
        ("1.2", "100", "5", "1"),  # only a part of the position is meant
        ("8", "4", "8", "8"),  # two contracts are 8 dollars, too small an order
        ("8", "5", "8", "2"),  # ten dollars are enough: only what is under the least goes with the rest
        ("11", "4", "11", "3"),
        ("10", "1", "10.5", "10"),  # all that is meant goes at once, the half contract beside it stays
        ("3", "9", "3", "3"),  # one contract is
        ("40", "0", "40", "40"),  # worthless options go at once
    ],
)
def test_the_size_of_a_step(meant: str, worth: str, held: str | None, expected: str) -> None:
    found = QUARTERS.contracts(Decimal(meant), Decimal(worth), None if held is None else Decimal(held))
    assert found == Decimal(expected)


def test_a_step_takes_along_a_rest_that_is_too_small_for_an_order() -> None:
    most = Sizing(step_fraction=Decimal("0.75"), min_order_usd=Decimal(10))
    # Six of eight are meant; two left are worth 8 dollars at 4 each, and 10 at 5.
    assert most.contracts(Decimal(8), Decimal(4), Decimal(8)) == 8
    assert most.contracts(Decimal(8), Decimal(5), Decimal(8)) == 6


def test_rows_of_one_instrument_are_merged_and_opposite_ones_realised() -> None:
    rows = [position(SWAP, 12, 90_000), position(SWAP, -2, 95_000)]
    found = plan(book(rows, balances={"USDT": -5_000}))
    # 2 long coins made 10,000 each and 2 short ones lost 5,000 each: 10,000 become cash.
    # Then 3 of the 10 left are closed: 30,000 of profit, 150 of cost.
    assert cash(found)["USDT"] == pytest.approx(-5_000 + 10_000 + 30_000 - 150)
    assert found["account"]["positions"] == [{"instrument": SWAP, "quantity": "7", "entry_price": 90_000.0}]


def test_an_inverse_position_settles_in_its_coin() -> None:
    rows = [position(INVERSE, 1_000_000)]
    found = plan(book(rows, balances={"BTC": "1.2"}))
    step = found["steps"][0]
    assert (step["trades"][0]["quantity"], step["cost_usd"]) == ("250000", 125.0)
    # Opened at the index, so nothing is realised; 125 dollars are 0.00125 of a coin.
    assert found["account"]["balances"]["BTC"] == "1.19875"
    assert found["outcome"] == "safe"


@pytest.mark.parametrize("size", [1, 0.1])
def test_an_option_is_closed_at_its_mark_for_a_part_of_what_it_is_worth(size: float) -> None:
    rows = [position(CALL, -4 / size, 0.05)]
    listed = [CALL | {"contract_size": size}]
    found = plan(by("standard", book(rows, balances={"BTC": "0.4"}, instruments=listed)))
    step = found["steps"][0]
    # Buying one coin's back: 0.05 of a coin, and 5 % of 5,000 + 0.03 % of 100,000 = 280 dollars.
    assert (step["kind"], step["cost_usd"]) == ("close", 280.0)
    (trade,) = step["trades"]
    assert (trade["side"], trade["quantity"], trade["price"]) == ("buy", f"{1 / size:g}", "0.05")
    closed = -4 - size * held(found).get(CALL["id"], 0.0)
    assert cash(found)["BTC"] == pytest.approx(0.4 + closed * (0.05 + 0.0028))


def test_all_closing_candidates_are_margined_in_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = [future("USDT") | {"id": f"BTC-USDT-SWAP{i}"} for i in range(8)]
    rows = [position(twin["id"], 2 + i) for i, twin in enumerate(twins)]
    document = book(rows, balances={"USDT": 500_000}, instruments=twins)
    shards: list[int] = []
    margin_shard = pipeline.margin_shard

    def counted(shard: Any, *rest: Any) -> Any:
        shards.append(len(shard))
        return margin_shard(shard, *rest)

    monkeypatch.setattr("liquidation.planner.desk.margin_shard", counted)
    found = plan(document)
    # The book itself, then for each step eight positions and the unit as a whole; no other kind applies.
    assert kinds(found) == ["close"] * (len(shards) - 1)
    assert shards[:2] == [1, 9]


def test_a_continued_plan_goes_to_the_target_though_the_threshold_is_behind() -> None:
    between = book([position(SWAP, 10)], balances={"USDT": 130_000})
    assert plan(between)["steps"] == []
    found = plan(between, Trigger.LIQUIDATION)
    assert (found["trigger"], kinds(found), found["outcome"]) == ("liquidation", ["close"], "safe")
    beyond = book([position(SWAP, 10)], balances={"USDT": 140_000})
    found = plan(beyond, Trigger.LIQUIDATION)
    assert (found["steps"], found["outcome"]) == ([], "safe")


def test_an_account_that_recovers_between_two_steps_keeps_what_is_left() -> None:
    # Two steps are planned: 3 of 10 coins, then 2. After the first 69,850 and 7 coins remain.
    start = book([position(SWAP, 10)], balances={"USDT": 70_000})
    assert [step["trades"][0]["quantity"] for step in plan(start)["steps"]] == ["3", "2"]
    left = [position(SWAP, 7, 100_000)]
    # A tenth up they gain 70,000; 7 * 110,000 require 12.2 %, and 1.1 times that are missing no more.
    higher = [PERPETUAL | {"mark": 110_000.0}]
    recovered = book(left, balances={"USDT": 69_850}, instruments=higher, index=110_000.0)
    found = plan(recovered, Trigger.LIQUIDATION)
    assert (found["steps"], found["outcome"]) == ([], "safe")
    assert found["initial"]["deficit"] == pytest.approx(1.1 * 0.122 * 770_000 - 139_850)
    assert held(found) == {SWAP: 7}


def test_a_continued_plan_cancels_orders_first_though_the_threshold_is_behind() -> None:
    between = book([position(SWAP, 10)], [order(PERPETUAL, "sell", 1)], {"USDT": 130_000})
    assert kinds(plan(between, Trigger.LIQUIDATION)) == ["cancel_orders", "close"]


def test_a_plan_stops_at_the_most_steps_it_may_have() -> None:
    found = plan_values(book([position(SWAP, 10)], balances={"USDT": 70_000}), max_steps=1)
    assert (len(found.steps), str(found.outcome)) == (1, "unfinished")


def test_the_fund_takes_every_future_at_the_price_that_uses_up_the_equity() -> None:
    rows = [position(SWAP, 1, 120_000), position(future("USDC")["id"], -4, 100_000)]
    document = book(rows, [order(PERPETUAL, "buy", 1)], {"USDT": 15_000, "USDC": 0})
    found = plan_values(document)
    assert found.takeover is not None
    # 20,000 lost of 15,000, over half a million of notional: longs are taken above their mark, shorts below.
    fraction = -5_000 / 500_000
    prices = {name: float(price) for name, price in found.takeover.prices.items()}
    assert prices == pytest.approx(
        {SWAP: 100_000 * (1 - fraction), "BTC-USDC-SWAP": 100_000 * (1 + fraction)}
    )
    left = 15_000 + prices[SWAP] - 120_000 - 4 * (prices["BTC-USDC-SWAP"] - 100_000)
    assert left == pytest.approx(0.0, abs=1e-6)
    assert found.shortfall_usd == pytest.approx(5_000)
    # Five coins to be traded away at 0.05 %.
    assert found.takeover.cost_usd == 250


def test_debts_alone_are_taken_over_for_nothing() -> None:
    found = plan_values(book(balances={"USDT": -500}))
    assert found.takeover == Takeover({}, -500.0, 500.0, Decimal(0))


def test_the_account_of_a_plan_is_a_book_that_can_be_margined() -> None:
    document = book(
        [position(SWAP, 10)],
        balances={"USDT": 70_000},
        hedge_limits={"BTC": {"ratio": 0.5, "max_amount": None}, "ETH": {"max_amount": 2}},
    )
    found = plan(document)
    margined = report(document | {"account": found["account"]})["account"]
    assert margined["mmr"] == found["steps"][-1]["after"]["mmr"]
    assert found["account"]["hedge_limits"]["BTC"] == {"ratio": 0.5, "max_amount": None}


def test_a_fee_is_paid_in_the_settlement_currency() -> None:
    (first, _) = plan_values(book([position(SWAP, 10)], balances={"USDT": 70_000})).steps
    (trade,) = first.trades
    assert (trade.fee, trade.fee_currency) == (Decimal(150), "USDT")


def test_an_account_exactly_at_its_target_is_safe() -> None:
    # 12.2 % of a million: at the threshold, and with a target of 1 nothing is missing.
    exactly = book([position(SWAP, 10)], balances={"USDT": 122_000})
    found = plan_values(exactly, target_ratio=1.0)
    assert (str(found.trigger), found.initial.deficit) == ("liquidation", 0.0)
    assert (found.steps, str(found.outcome)) == ((), "safe")


#: Half of a future's notional for trading it: closing one costs more than it saves.
DEAR = {"futures_cost": 0.5}


def test_what_lowers_nothing_is_not_traded() -> None:
    # Far out of the money and without volatility: worth nothing, and no scenario makes it worth anything.
    worthless = option("USDT", 1_000_000, "call", mark=0.0, mark_iv=0.0)
    rows = [position(SWAP, 10), position(worthless, 1, 0.0)]
    document = book(rows, balances={"USDT": 100_000}, instruments=[PERPETUAL, worthless])
    found = plan_values(document, **DEAR)
    assert (found.steps, str(found.outcome)) == ((), "takeover")


def test_a_step_under_the_least_is_taken_where_there_is_no_other() -> None:
    # A ten-thousandth of a call requires 3 % + 0.2 % of the index and its mark: 82 cents, which at 1.1 times,
    # less 2.8 cents of cost, are under 0.5 % of what is missing for the perpetual's 4,000.
    written = option("USDT", 100_000)
    rows = [position(SWAP, 10), position(written, "-0.0001", 5_000)]
    document = by("standard", book(rows, balances={"USDT": 3_900}, instruments=[PERPETUAL, written]))
    found = plan_values(document, **DEAR)
    assert found.initial.deficit == pytest.approx(1.1 * (4_000 + 0.82) - (3_900 - 0.5))
    (step,) = found.steps
    assert [(trade.instrument, trade.quantity) for trade in step.trades] == [
        (written["id"], Decimal("0.0001"))
    ]
    assert step.before.deficit - step.after.deficit == pytest.approx(1.1 * 0.82 - 0.028)
    assert str(found.outcome) == "takeover"


def test_balances_finer_than_a_float_stay_exact() -> None:
    # A hundred thousand million coins of a millionth of a dollar, 80 % of which count; 79,000 are owed.
    there = Decimal("100000000000.000000000000000001")
    document = book(balances={"SHIB": str(there), "USDT": -79_000})
    document["market"]["index"]["SHIB-USD"] = 1e-6
    found = plan(document)
    (conversion,) = found["steps"][0]["conversions"]
    assert conversion["sell"] == "SHIB"
    left, sold = Fraction(found["account"]["balances"]["SHIB"]), Fraction(conversion["amount"])
    assert left + sold == Fraction(there)
    assert float(sold) == pytest.approx(79_000 / 0.999 * 1e6)


@pytest.mark.parametrize("named", [("USDT", "*"), ("USDT",), ("*", "USDC")])
def test_what_the_order_does_not_name_goes_by_its_worth(named: tuple[str, ...]) -> None:
    # 40,000 of BTC, of which 98 % count, and 30,000 of USDC: 69,200 against 68,300 owed.
    document = book(balances={"USDC": 30_000, "BTC": 0.4, "USD": -68_300})
    found = plan_values(document, repay_order=named)
    assert found.steps[0].conversions[0].sell == "BTC"
    assert found.steps[0].conversions[0].amount == Decimal("0.4")
