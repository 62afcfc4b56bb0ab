"""The plan as a document: the fields of spec 50, section 4, what was planned for, and by which rules."""

import hashlib
import json

import pytest

from margin.engine.errors import DocumentError
from margin.engine.report import ENGINE_VERSION
from tests.liquidation.support import plan
from tests.margin.engine.support import CALL, PERPETUAL, book, order, position

FIGURES = {"adjusted_equity", "mmr", "imr", "margin_ratio", "mmr_rate", "status", "deficit"}
BOOK = book([position(PERPETUAL, 10)], balances={"USDT": 70_000})


def test_a_plan_has_the_fields_of_its_specification() -> None:
    found = plan(BOOK)
    assert set(found) == {
        *("methodology", "parameters", "engine", "input_sha256", "trigger", "initial", "steps", "outcome"),
        *("shortfall_usd", "account"),
    }
    step = found["steps"][0]
    assert set(step) == {
        *("number", "kind", "unit", "component", "reason", "cost_usd", "trades", "conversions", "cancelled"),
        *("before", "after"),
    }
    assert set(step["trades"][0]) == {"instrument", "side", "quantity", "price", "cost_usd"}
    assert set(found["initial"]) == set(step["before"]) == set(step["after"]) == FIGURES
    assert found["initial"]["status"] == "liquidation"
    assert set(found["account"]) == {"id", "hedge_mode", "hedge_limits", "balances", "positions", "orders"}
    json.dumps(found, allow_nan=False)


def test_a_plan_names_what_it_was_planned_for_and_by_which_rules() -> None:
    found = plan(BOOK)
    canonical = json.dumps(BOOK, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert found["input_sha256"] == hashlib.sha256(canonical).hexdigest()
    assert (found["methodology"], found["parameters"]["version"]) == ("okx-2025", "2025-01-21")
    assert len(found["parameters"]["sha256"]) == 64
    assert found["engine"] == ENGINE_VERSION


def test_rows_that_are_left_alone_are_given_back_as_they_were() -> None:
    # 1.5 BTC and 10,000 USDT beside calls that are paid for: far from any threshold.
    rows = [position(CALL, "2.50", 0.04)]
    found = plan(book(rows, [order(PERPETUAL, "sell", 1, 99_000.0)], {"BTC": "1.500", "USDT": 10_000}))
    assert found["account"]["positions"] == [
        {"instrument": CALL["id"], "quantity": "2.5", "entry_price": 0.04}
    ]
    assert found["account"]["orders"] == [
        {"instrument": PERPETUAL["id"], "side": "sell", "quantity": "1", "price": 99_000.0}
    ]
    assert found["account"]["balances"] == {"BTC": "1.5", "USDT": "10000"}


def test_a_plan_beyond_float64_is_refused_with_the_reason() -> None:
    # A debt of 1e300 coins at 1e12.
    with pytest.raises(DocumentError) as refusal:
        plan(book(balances={"BTC": "-1e300"}, index=1e12))
    (fault,) = refusal.value.faults
    assert fault.path == "account"
    assert "of account A-1 is not finite" in fault.message
