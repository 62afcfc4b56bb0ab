"""What must hold for every plan (spec 50, section 5), as functions that assert it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from liquidation.planner.document import account_document, step_document
from liquidation.planner.plan import Trigger
from liquidation.planner.planner import plan_of
from margin.engine.documents.book import read_book
from margin.engine.simulation import margin_report
from margin.parameter_files import shipped_library
from tests.liquidation.support import plan

Document = dict[str, Any]
REPORTED = ("adjusted_equity", "mmr", "imr", "margin_ratio", "mmr_rate", "status")
REDUCING = ("close", "basis")
HEDGING = ("ddh2", "delta_hedge")


def check_every_rule(book: Document) -> Document:
    """Plan a book and hold the plan against every rule; returns the plan."""
    found = plan(book)
    check_trigger(book, found)
    check_figures(book, found)
    check_progress(found)
    check_reasons(found)
    trail = [book["account"], *accounts(book, found)]
    check_no_flips(trail, found)
    check_hedges(book, trail, found)
    check_value(book, trail, found)
    check_outcome(found)
    check_replanning(book, found)
    return found


def accounts(book: Document, found: Document) -> Iterator[Document]:
    """The account after each step: every step is planned alone, from what the one before it left."""
    document, trigger = book, Trigger(found["trigger"])
    for _ in found["steps"]:
        document = book | {"account": first_step(document, trigger)["account"]}
        yield document["account"]


def first_step(book: Document, continuing: Trigger) -> Document:
    """The plan cut off after one step: that step, and the account it leaves."""
    read = read_book(book, shipped_library())
    rules = replace(read.parameters.liquidation, max_steps=1)
    cut = plan_of(replace(read, parameters=replace(read.parameters, liquidation=rules)), continuing)
    return {
        "steps": [step_document(step) for step in cut.steps],
        "account": account_document(cut.account),
    }


def check_trigger(book: Document, found: Document) -> None:
    status = margin_report(book, shipped_library())["account"]["status"]
    assert found["trigger"] == (status if status in ("liquidation", "repay") else "none")


def check_figures(book: Document, found: Document) -> None:
    """Figures join up, begin with the book's own and end with those of the account that is left."""
    steps = found["steps"]
    chain = [found["initial"], *(figures for step in steps for figures in (step["before"], step["after"]))]
    assert all(chain[i] == chain[i + 1] for i in range(0, len(chain) - 1, 2))
    for account, figures in ((book["account"], chain[0]), (found["account"], chain[-1])):
        report = margin_report(book | {"account": account}, shipped_library())["account"]
        assert {name: report[name] for name in REPORTED} == {name: figures[name] for name in REPORTED}
    assert [step["number"] for step in steps] == list(range(1, len(steps) + 1))


def check_progress(found: Document) -> None:
    """Every step but a cancellation brings the account nearer to safety."""
    for step in found["steps"]:
        before, after = step["before"]["deficit"], step["after"]["deficit"]
        if step["kind"] == "cancel_orders":
            assert step["cancelled"] > 0
        elif found["trigger"] == "repay":
            assert step["kind"] == "repay" and after <= before
        else:
            assert after < before


def check_reasons(found: Document) -> None:
    for step in found["steps"]:
        assert step["reason"]
        assert (step["component"] is None) == (step["kind"] == "cancel_orders")
        assert (step["component"] == "borrow") == (step["kind"] == "repay")
        costs = sum(trade["cost_usd"] for trade in step["trades"])
        assert step["cost_usd"] >= costs * (1 - 1e-12) and step["cost_usd"] >= 0.0


def check_no_flips(trail: list[Document], found: Document) -> None:
    """A close or a basis leg takes from a position no more than there is."""
    for step, (before, after) in zip(found["steps"], pairwise(trail), strict=True):
        if step["kind"] in REDUCING:
            was, now = quantities(before), quantities(after)
            for trade in step["trades"]:
                name = trade["instrument"]
                left = now.get(name, Decimal(0))
                assert was[name] * left >= 0 and abs(left) < abs(was[name])
                assert abs(was[name] - left) == Decimal(trade["quantity"])
    assert not found["steps"] or trail[-1] == found["account"]


def check_hedges(book: Document, trail: list[Document], found: Document) -> None:
    """A delta hedge brings its unit's net delta nearer to zero, never past it, and trades no option."""
    options = {row["id"] for row in book["market"]["instruments"] if row["kind"] == "option"}
    for step, (before, after) in zip(found["steps"], pairwise(trail), strict=True):
        if step["kind"] in HEDGING:
            was, now = (net_delta(book | {"account": account}, step["unit"]) for account in (before, after))
            assert abs(now) < abs(was) and was * now >= -1e-9 * was * was
            assert options.isdisjoint(trade["instrument"] for trade in step["trades"])


def net_delta(book: Document, unit: str) -> float:
    """Coin delta of a unit's derivatives and of its spot in use."""
    report = margin_report(book, shipped_library())
    (found,) = [entry for entry in report["risk_units"] if entry["unit"] == unit]
    return float(found["delta"] + found["spot_in_use"])


def check_value(book: Document, trail: list[Document], found: Document) -> None:
    """Everything is traded at mark: net equity falls by what the step says it costs, and by nothing else."""
    reports = [margin_report(book | {"account": account}, shipped_library()) for account in trail]
    for step, (before, after) in zip(found["steps"], pairwise(reports), strict=True):
        gross = sum(abs(row[name]) for row in before["currencies"] for name in ("usd_value", "liability_usd"))
        tolerance = 1e-6 + 1e-9 * (gross + 100 * before["account"]["mmr"])
        lost = before["account"]["net_equity"] - after["account"]["net_equity"]
        assert abs(lost - step["cost_usd"]) <= tolerance


def quantities(account: Document) -> dict[str, Decimal]:
    """Contracts by instrument, rows added up."""
    sums: dict[str, Decimal] = {}
    for row in account["positions"]:
        amount = row["quantity"]
        exact = Decimal(amount if isinstance(amount, str) else repr(amount))
        sums[row["instrument"]] = sums.get(row["instrument"], Decimal(0)) + exact
    return sums


def check_outcome(found: Document) -> None:
    """The end that is claimed is the end that was reached."""
    last = found["steps"][-1]["after"] if found["steps"] else found["initial"]
    match found["outcome"]:
        case "safe" if found["trigger"] == "liquidation":
            assert last["deficit"] <= 0.0
        case "safe":
            assert found["trigger"] == "repay"
        case "takeover":
            assert found["trigger"] == "liquidation" and last["deficit"] > 0.0
            assert found["account"]["orders"] == []
        case "nothing_to_do":
            assert found["trigger"] in ("none", "repay")
        case other:
            assert other == "unfinished" and found["steps"]
    if found["outcome"] != "takeover":
        assert found["shortfall_usd"] == 0.0


def check_replanning(book: Document, found: Document) -> None:
    """The planner has no memory: after a step, planning anew gives the rest of the plan."""
    if not found["steps"] or found["outcome"] == "unfinished":
        return
    trigger = Trigger(found["trigger"])
    rest = plan(book | {"account": first_step(book, trigger)["account"]}, trigger)
    numbered = [step | {"number": step["number"] + 1} for step in rest["steps"]]
    assert numbered == found["steps"][1:]
    assert (rest["outcome"], rest["account"]) == (found["outcome"], found["account"])
