"""Whatever the book, execution on paper does what the dry run said, to the last digit."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from accounts.models import Account, Balance, Order, Position
from liquidation.choices import CaseState
from liquidation.execution.paper import PaperPort
from liquidation.models import LiquidationCase
from liquidation.services.cases import case_open
from liquidation.services.work import case_work
from margin.choices import RunReason
from margin.engine.parameters.library import METHODOLOGIES
from margin.services.runs import run_write
from pmplatform.common.transactions import one_view
from tests.liquidation.distressed import distressed_books
from tests.liquidation.support import plan
from tests.margin.test_runs import work_through
from tests.margin.world import world

pytestmark = pytest.mark.django_db(transaction=True)

Document = dict[str, Any]
CI = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
LATEST = datetime(2026, 11, 1, tzinfo=UTC)
PLANNED = (
    "kind",
    "unit",
    "component",
    "reason",
    "cost_usd",
    "trades",
    "conversions",
    "cancelled",
    "before",
    "after",
)


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is written within is gone afterwards; a run reads the book in one view."""
    with one_view():
        yield
        transaction.set_rollback(True)


def storable(book: Document) -> Document:
    """The book as the database can hold it: one row for an instrument, none of nothing, in its order."""
    account, rows = book["account"], dict[str, Document]()
    for row in account["positions"]:
        if Decimal(str(row["quantity"])):
            rows.setdefault(row["instrument"], row)
    ordered = {
        "balances": dict(sorted(account["balances"].items())),
        "positions": [rows[name] for name in sorted(rows)],
        "orders": sorted(account["orders"], key=lambda order: str(order["instrument"])),
    }
    return book | {"account": account | ordered, "parameters": None}


def executed(book: Document) -> LiquidationCase | None:
    """The case of the stored, margined book, worked until nothing is left; None where there is none."""
    now = datetime.fromisoformat(book["as_of"])
    world(book["market"], now, [book["account"] | {"methodology": book["methodology"]}])
    work_through(run_write(reason=RunReason.MANUAL))
    case = case_open(account_id=Account.objects.get().pk, evidence={}, now=now)
    while case_work(port=PaperPort(), clock=lambda: now):
        pass
    if case is not None:
        case.refresh_from_db()
    return case


@pytest.mark.parametrize("methodology", METHODOLOGIES)
@CI
@given(data=st.data())
def test_execution_on_paper_equals_the_dry_run(methodology: str, data: st.DataObject) -> None:
    book = storable(data.draw(distressed_books(methodology)))
    planned = plan(book)
    # The guards let no snapshot pass that is ahead of the clock.
    assume(datetime.fromisoformat(book["as_of"]) < LATEST)
    assume(planned["steps"] or planned["outcome"] == "takeover")
    with undone():
        case = executed(book)
        assert case is not None
        steps = list(case.steps.order_by("number"))
        assert [{name: getattr(step, name) for name in PLANNED} for step in steps] == [
            {name: step[name] for name in PLANNED} for step in planned["steps"]
        ]
        assert all(step.reached == step.after for step in steps)
        if planned["outcome"] == "takeover":
            assert case.takeover is not None
            assert case.takeover["shortfall_usd"] == planned["shortfall_usd"]
        else:
            assert (case.state, case.outcome) == (CaseState.CLOSED, planned["outcome"])
        if case.state != CaseState.CLOSED or planned["outcome"] != "takeover":
            assert_holds(planned["account"])
        assert case.residuals in (None, {})


def assert_holds(account: Document) -> None:
    """The only account of the database holds what a plan's account does."""
    balances = {row.currency: row.amount for row in Balance.objects.all() if row.amount}
    exact = {name: Decimal(text) for name, text in account["balances"].items()}
    assert balances == {name: amount for name, amount in exact.items() if amount}
    positions = {row.instrument.code: row for row in Position.objects.select_related("instrument")}
    assert {code: row.quantity for code, row in positions.items()} == {
        row["instrument"]: Decimal(row["quantity"]) for row in account["positions"]
    }
    assert {code: float(row.entry_price) for code, row in positions.items()} == {
        row["instrument"]: row["entry_price"] for row in account["positions"]
    }
    assert Order.objects.filter(state="open").count() == len(account["orders"])
