"""The planner as the queue asks it: where an account stands, and the next step alone."""

from dataclasses import replace

from liquidation.planner.plan import Plan, Trigger
from liquidation.planner.planner import plan_of
from margin.engine.documents.book import BookDocument
from margin.engine.errors import NonFiniteError
from pmplatform.common.errors import Refused


def standing(book: BookDocument, continuing: Trigger | None = None) -> Plan:
    """A plan without steps: the account's figures, its trigger, and whether it is safe already."""
    return _cut(book, 0, continuing)


def next_step(book: BookDocument, continuing: Trigger | None = None) -> Plan:
    """The plan as far as its first step; Refused when a figure leaves the finite numbers."""
    return _cut(book, 1, continuing)


def _cut(book: BookDocument, steps: int, continuing: Trigger | None) -> Plan:
    rules = replace(book.parameters.liquidation, max_steps=steps)
    parameters = replace(book.parameters, liquidation=rules)
    try:
        return plan_of(replace(book, parameters=parameters), continuing)
    except NonFiniteError as error:
        raise Refused([str(error)]) from error


def underlyings_held(book: BookDocument) -> list[str]:
    """The coins that the account's positions are in, sorted."""
    market = book.market_rows
    held = {market.instruments[market.places[row.instrument]] for row in book.account_rows.positions}
    return sorted({instrument.underlying for instrument in held})


def underlyings_traded(book: BookDocument, plan: Plan) -> list[str]:
    """The coins that the plan's steps trade, sorted; stable currencies are none."""
    instruments = book.market_rows.instruments
    places = book.market_rows.places
    traded = {
        instruments[places[trade.instrument]].underlying for step in plan.steps for trade in step.trades
    }
    exchanged = (
        {name for step in plan.steps for pair in step.conversions for name in (pair.sell, pair.buy)}
        - set(book.market.fx)
        - {"USD"}
    )
    return sorted(traded | exchanged)
