"""What-ifs against the report of the changed book, and comparisons against each methodology's own report."""

from typing import Any

import pytest

from margin.engine.comparison import compare
from margin.engine.errors import DocumentError
from margin.engine.methodologies.registry import OFFERED
from margin.engine.what_if import what_if
from margin.parameter_files import shipped_library
from tests.margin.engine.support import (
    CALL,
    LISTED,
    PERPETUAL,
    PUT,
    Document,
    book,
    option,
    order,
    position,
    report,
)

FIGURES = ("mmr", "imr", "adjusted_equity", "margin_ratio", "leverage")
HELD = book(
    [position(PERPETUAL, -2), position(CALL, -3), position(PUT, 4)],
    [order(PERPETUAL, "buy", 1)],
    balances={"BTC": "1.5", "USDT": 400_000},
)


def _what_if(changes: Any, document: Document = HELD) -> Document:
    return what_if(document, changes, shipped_library())


def _compare(document: Document) -> Document:
    return compare(document | {"parameters": None}, shipped_library())


def _paths(changes: Any, document: Document = HELD) -> list[str]:
    with pytest.raises(DocumentError) as refused:
        _what_if(changes, document)
    return [fault.path for fault in refused.value.faults]


# What if


def test_without_changes_nothing_differs() -> None:
    answer = _what_if({"shifts": {"price": {"BTC": 0}}})
    assert answer["before"] == report(HELD)
    assert answer["after"] | {"input_sha256": ""} == answer["before"] | {"input_sha256": ""}
    assert set(answer["difference"]["account"].values()) == {0.0}
    assert answer["difference"]["risk_units"] == [{"unit": "BTC", "mmr": 0.0, "imr": 0.0}]


def test_added_holdings_give_the_report_of_the_whole_book() -> None:
    added_position, added_order = position(PERPETUAL, 3, 99_000.0), order(PUT, "sell", 2, 4_000.0)
    changes = {
        "positions": [added_position],
        "orders": [added_order],
        "balances": {"BTC": "-0.7", "USDC": "25"},
    }
    answer = _what_if(changes)
    account = HELD["account"]
    whole = report(
        HELD
        | {
            "account": account
            | {
                "positions": [*account["positions"], added_position],
                "orders": [*account["orders"], added_order],
                "balances": {"BTC": "0.8", "USDC": "25", "USDT": 400_000},
            }
        }
    )
    for part in ("account", "currencies", "risk_units"):
        assert answer["after"][part] == whole[part]
    for name, change in answer["difference"]["account"].items():
        assert change == whole["account"][name] - report(HELD)["account"][name]


def test_a_unit_that_appears_counts_whole() -> None:
    document = book(balances={"USDT": 100_000})
    answer = _what_if({"positions": [position(PERPETUAL, 1)]}, document)
    (unit,) = answer["after"]["risk_units"]
    assert answer["difference"]["risk_units"] == [{"unit": "BTC", "mmr": unit["mmr"], "imr": unit["imr"]}]
    assert answer["difference"]["account"]["margin_ratio"] is None


def test_a_price_shift_gives_the_pnl_of_the_position() -> None:
    document = book([position(PERPETUAL, -2)], balances={"USDT": 400_000})
    answer = _what_if({"shifts": {"price": {"BTC": -0.1}}}, document)
    assert answer["difference"]["account"]["net_equity"] == pytest.approx(20_000.0)


def test_a_stable_rate_may_be_moved_and_one_that_is_missing_given() -> None:
    document = book([position(PERPETUAL, -2)], balances={"USDT": 400_000})
    answer = _what_if({"shifts": {"fx": {"USDT": 0.98}}}, document)
    assert answer["after"]["account"]["net_equity"] == pytest.approx(400_000 * 0.98)
    bare = book(balances={"BTC": 1}, fx={"USDT": 1.0})
    assert _paths({"balances": {"USDC": 1}}, bare) == ["market.fx.USDC"]
    given = _what_if({"balances": {"USDC": 1}, "shifts": {"fx": {"USDC": 0.5}}}, bare)
    assert given["difference"]["account"]["net_equity"] == pytest.approx(0.5)


def test_time_advances_and_costs_an_option_its_decay() -> None:
    answer = _what_if({"shifts": {"seconds": 86_400}}, book([position(PUT, 1)], balances={"USDC": 1}))
    assert answer["difference"]["account"]["net_equity"] < 0.0
    assert answer["after"]["as_of"] == "2025-02-02T08:00:00Z"
    assert answer["after"]["parameters"] == answer["before"]["parameters"]


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ([], ["changes"]),
        ({"shift": {}}, ["changes.shift"]),
        ({"positions": [position("X", 1), position(PERPETUAL, "many")]}, ["changes.positions[1].quantity"]),
        ({"positions": [position("X", 1)]}, ["changes.positions[0].instrument"]),
        ({"positions": [position(LISTED[0], 1)]}, ["changes.positions[0].instrument"]),
        ({"orders": [order(PERPETUAL, "hold", 1)]}, ["changes.orders[0].side"]),
        ({"balances": {"USDT": None}}, ["changes.balances.USDT"]),
        ({"balances": {"DOGE": 1}}, ["market.index.DOGE-USD"]),
        (
            {"shifts": {"price": {"BTC": -1, "ETH": "x"}, "vol_points": True, "seconds": -1}},
            [
                "changes.shifts.price.BTC",
                "changes.shifts.price.ETH",
                "changes.shifts.vol_points",
                "changes.shifts.seconds",
            ],
        ),
        ({"shifts": {"price": {"ETH": 0.1}}}, ["changes.shifts.price.ETH"]),
        ({"shifts": {"price": {"BTC": 1e6}}}, None),
        ({"shifts": {"fx": {"USD": 0.9}}}, ["changes.shifts.fx.USD"]),
        ({"shifts": {"fx": {"EUR": 1}}}, ["changes.shifts.fx.EUR"]),
        ({"shifts": {"seconds": 30 * 86_400}}, ["changes.shifts.seconds"]),
    ],
)
def test_every_fault_names_its_place(changes: Any, paths: list[str] | None) -> None:
    if paths is None:
        assert _what_if(changes)["after"]["account"]["status"] == "liquidation"
        return
    assert _paths(changes) == paths


def test_a_price_may_not_leave_its_bounds_nor_time_the_calendar() -> None:
    dear = book(balances={"BTC": 1}, index=1e11, instruments=[])
    assert _paths({"shifts": {"price": {"BTC": 10}}}, dear) == ["changes.shifts.price.BTC"]
    late = book(balances={"BTC": 1}, instruments=[]) | {"as_of": "9999-01-01T00:00:00Z"}
    assert _paths({"shifts": {"seconds": 1e9}}, late) == ["changes.shifts.seconds"]


# Comparison


def test_each_methodology_answers_as_its_own_report() -> None:
    answer = _compare(HELD)
    for name in OFFERED:
        own = HELD | {"methodology": name, "parameters": None}
        assert answer[name] == report(own)["account"], name
    assert answer["reasons"] == {}


def test_the_saving_is_what_standard_asks_for_more() -> None:
    answer = _compare(HELD)
    standard, mine = answer["standard"], answer["okx-2025"]
    assert set(answer["saving"]) == set(OFFERED) - {"standard"}
    for name in ("mmr", "imr"):
        saving = answer["saving"]["okx-2025"]
        assert saving[name] == standard[name] - mine[name]
        # Three short calls of one BTC, marked at 5 % of the coin.
        expected = standard[name] - 3 * 0.05 * 100_000 - mine[name]
        assert saving["without_short_option_value"][name] == pytest.approx(expected)


def test_the_value_of_short_options_goes_by_the_size_of_their_contract() -> None:
    tenth = CALL | {"contract_size": 0.1}
    document = book([position(tenth, -30, 0.05)], balances={"BTC": 3}, instruments=[tenth])
    saving = _compare(document)["saving"]["okx-2025"]
    without = saving["without_short_option_value"]
    # Three coins' calls at 5 % of 100,000.
    assert saving["mmr"] - without["mmr"] == pytest.approx(15_000)


def test_a_methodology_that_is_not_in_force_is_null_with_its_reason() -> None:
    early = HELD | {"as_of": "2023-01-01T00:00:00Z", "parameters": "2025-01-21"}
    answer = compare(early, shipped_library())
    assert [name for name in OFFERED if answer[name] is None] == ["bybit-uta"] == list(answer["reasons"])
    assert answer["reasons"]["bybit-uta"].startswith("parameters: no version of bybit-uta is in force")
    assert answer["saving"]["bybit-uta"] is None


def test_without_standard_there_is_no_saving() -> None:
    early = HELD | {"as_of": "2019-01-01T00:00:00Z", "parameters": "2025-01-21"}
    answer = compare(early, shipped_library())
    assert (answer["standard"], answer["saving"]) == (None, None)


def test_a_hedge_mode_goes_where_it_exists() -> None:
    hedged = book([position(PERPETUAL, -1)], balances={"BTC": 1, "USDT": 10_000}, hedge_mode="spot_hedge")
    default = book([position(PERPETUAL, -1)], balances={"BTC": 1, "USDT": 10_000})
    with_mode, without = _compare(hedged), _compare(default)
    assert with_mode["okx-2025"] == without["okx-2025"]
    for name in ("okx-classic", "standard"):
        assert with_mode[name] == without[name]
    assert with_mode["bybit-uta"]["mmr"] < without["bybit-uta"]["mmr"]


def test_a_faulty_book_is_refused_as_a_whole() -> None:
    with pytest.raises(DocumentError) as refused:
        _compare(book([position(option("USDT", 1, mark=1.0), 1)]))
    assert [fault.path for fault in refused.value.faults] == ["account.positions[0].instrument"]
