"""The plan as a document (spec 50, section 4)."""

from dataclasses import asdict
from math import isinf
from typing import Any

from liquidation.planner.amounts import plain
from liquidation.planner.plan import Conversion, Figures, Plan, Step, Trade, Trigger
from liquidation.planner.planner import plan_of
from margin.engine.documents.account import AccountRows
from margin.engine.documents.book import read_book
from margin.engine.errors import DocumentError, Fault, NonFiniteError
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import Library
from margin.engine.report import ENGINE_VERSION


def liquidation_plan(document: Any, library: Library, continuing: Trigger | None = None) -> dict[str, Any]:
    """The plan of a book document.

    Raises
    ------
    DocumentError
        With the path of every fault; a figure that is not finite is a fault of the account.
    """
    try:
        plan = plan_of(read_book(document, library), continuing)
    except NonFiniteError as error:
        raise DocumentError([Fault("account", str(error))]) from error
    return plan_document(plan, sha256_of(document))


def plan_document(plan: Plan, input_sha256: str) -> dict[str, Any]:
    """A plan as plain values, ready for JSON; `input_sha256` names what was planned for."""
    return {
        "methodology": plan.methodology,
        "parameters": {"version": plan.parameters.version, "sha256": plan.parameters.sha256},
        "engine": ENGINE_VERSION,
        "input_sha256": input_sha256,
        "trigger": str(plan.trigger),
        "initial": figures_document(plan.initial),
        "steps": [step_document(step) for step in plan.steps],
        "outcome": str(plan.outcome),
        "shortfall_usd": plan.shortfall_usd,
        "account": account_document(plan.account),
    }


def step_document(step: Step) -> dict[str, Any]:
    """One step as plain values."""
    return {
        "number": step.number,
        "kind": str(step.kind),
        "unit": step.unit,
        "component": step.component,
        "reason": step.reason,
        "cost_usd": float(step.cost_usd),
        "trades": [_trade(trade) for trade in step.trades],
        "conversions": [_conversion(conversion) for conversion in step.conversions],
        "cancelled": step.cancelled,
        "before": figures_document(step.before),
        "after": figures_document(step.after),
    }


def account_document(account: AccountRows) -> dict[str, Any]:
    """The account part of a book document; amounts are decimal strings."""
    return {
        "id": account.id,
        "hedge_mode": account.hedge_mode.name.lower(),
        "hedge_limits": {
            coin: {"ratio": limit.ratio, "max_amount": None if isinf(limit.max_amount) else limit.max_amount}
            for coin, limit in account.hedge_limits.items()
        },
        "balances": {currency: plain(amount) for currency, amount in account.balances.items()},
        "positions": [
            {
                "instrument": row.instrument,
                "quantity": plain(row.quantity),
                "entry_price": row.entry_price,
            }
            for row in account.positions
        ],
        "orders": [
            {
                "instrument": row.instrument,
                "side": str(row.side),
                "quantity": plain(row.quantity),
                "price": row.price,
            }
            for row in account.orders
        ],
    }


def figures_document(figures: Figures) -> dict[str, Any]:
    """An account's margin as plain values."""
    return asdict(figures) | {"status": str(figures.status)}


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "instrument": trade.instrument,
        "side": str(trade.side),
        "quantity": plain(trade.quantity),
        "price": plain(trade.price),
        "cost_usd": float(trade.cost_usd),
    }


def _conversion(conversion: Conversion) -> dict[str, Any]:
    return {
        "sell": conversion.sell,
        "amount": plain(conversion.amount),
        "buy": conversion.buy,
        "received": plain(conversion.received),
    }
