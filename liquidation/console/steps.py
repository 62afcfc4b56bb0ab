"""The steps of a plan or a case for reading: what is done, why, and what becomes of the account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from liquidation.models import LiquidationStep
from margin.console.report import FigureRow, figure_rows, status_mark
from margin.console.words import component_label
from pmplatform.common.console import amount, money


@dataclass(frozen=True, slots=True)
class TradeRow:
    side: str
    quantity: SafeString
    what: str
    price: SafeString
    cost: SafeString


@dataclass(frozen=True, slots=True)
class StepView:
    """A step; ``at`` is None for one that is only planned."""

    number: int
    kind: str
    where: str
    reason: str
    cost: SafeString
    trades: tuple[TradeRow, ...]
    cancelled: int
    before: SafeString
    after: SafeString
    figures: tuple[FigureRow, ...]
    state: str
    at: datetime | None


def step_view(step: Mapping[str, Any], state: str = "planned", at: datetime | None = None) -> StepView:
    """A step as the plan document has it."""
    trades = [*map(_trade, step["trades"]), *map(_conversion, step["conversions"])]
    words = [step["unit"], component_label(step["component"]) if step["component"] else None]
    return StepView(
        number=step["number"],
        kind=component_label(step["kind"]),
        where=", ".join(filter(None, words)),
        reason=component_label(step["reason"]),
        cost=money(step["cost_usd"]),
        trades=tuple(trades),
        cancelled=step["cancelled"],
        before=status_mark(step["before"]["status"]),
        after=status_mark(step["after"]["status"]),
        figures=tuple(figure_rows(step["before"], step["after"])),
        state=state,
        at=at,
    )


def stored_step_view(step: LiquidationStep) -> StepView:
    """A step of a case; once its orders have ended, what the account reached stands for what was planned."""
    names = (
        "number",
        "kind",
        "unit",
        "component",
        "reason",
        "cost_usd",
        "trades",
        "conversions",
        "cancelled",
    )
    document = {name: getattr(step, name) for name in names}
    return step_view(
        {**document, "before": step.before, "after": step.reached or step.after},
        str(step.get_state_display()),
        step.done_at or step.at,
    )


def _trade(trade: Mapping[str, Any]) -> TradeRow:
    return TradeRow(
        side=trade["side"],
        quantity=amount(float(trade["quantity"])),
        what=trade["instrument"],
        price=amount(float(trade["price"])),
        cost=money(trade["cost_usd"]),
    )


def _conversion(pair: Mapping[str, Any]) -> TradeRow:
    bought = float(pair["received"])
    what = f"{pair['sell']} for {bought:,.6g} {pair['buy']}"
    return TradeRow("sell", amount(float(pair["amount"])), what, SafeString(), money(pair.get("cost_usd")))
