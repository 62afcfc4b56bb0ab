"""`repay`: sell one currency to pay back another that is owed."""

from decimal import Decimal
from typing import Final

from liquidation.planner.amounts import ZERO, decimal_of, traded_down, traded_up
from liquidation.planner.assessment import CurrencyView
from liquidation.planner.desk import Situation
from liquidation.planner.plan import StepKind
from liquidation.planner.proposals import Exchange, Groups, Proposal
from liquidation.planner.words import usd
from margin.engine.parameters.common import ANY

_COMPONENT: Final = "borrow"


def repayment(situation: Situation) -> Groups:
    """One candidate for each debt and collateral: debts by size, so dust last; collateral in its order."""
    debts = sorted(
        (entry for entry in situation.now.currencies if entry.equity < 0.0),
        key=lambda debt: (debt.usd_value, debt.name),
    )
    collateral = _collateral(situation)
    return [(_paid(situation, debt, name, there),) for debt in debts for name, there in collateral]


def _collateral(situation: Situation) -> list[tuple[str, Decimal]]:
    """Currencies that can be sold and how much of each, in the order of the parameters."""
    order, listings = situation.desk.rules.repay_order, situation.desk.listings
    there = {entry.name: _for_sale(situation, entry) for entry in situation.now.currencies}

    def key(name: str) -> tuple[int, Decimal, str]:
        if name in order:
            return order.index(name), ZERO, name
        rest = order.index(ANY) if ANY in order else len(order)
        return rest, -there[name] * listings.usd(name), name

    return [(name, there[name]) for name in sorted(there, key=key) if there[name] > 0]


def _for_sale(situation: Situation, entry: CurrencyView) -> Decimal:
    """The cash, but no more than the equity: what an unrealised loss needs stays."""
    if entry.cash <= entry.equity:
        return situation.account.balances.get(entry.name, ZERO)
    return traded_down(decimal_of(max(entry.equity - entry.noise, 0.0)))


def _paid(situation: Situation, debt: CurrencyView, sell: str, there: Decimal) -> Proposal:
    """The whole debt, or as much of it as there is to sell."""
    owed = traded_up(decimal_of(debt.noise - debt.equity))
    whole = situation.desk.converter.buying(debt.name, owed, sell)
    exchange = whole if whole.amount <= there else Exchange(sell, there, debt.name)
    part = "all of" if exchange is whole else "a part of"
    return Proposal(
        kind=StepKind.REPAY,
        reason=f"{part} the {debt.name} debt of {usd(-debt.usd_value)} is paid back out of {sell}",
        component=_COMPONENT,
        exchanges=(exchange,),
    )
