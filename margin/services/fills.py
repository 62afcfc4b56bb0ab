"""Fills: what was traded moves position, cash and order in one change."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts import selectors as accounts
from accounts.choices import InstrumentKind, LedgerKind, OrderSide
from accounts.documents import FillDocument, InstrumentDocument
from accounts.services.activity import fill_append, fill_known
from accounts.services.changes import AccountChange, account_changing, balance_add, position_set
from accounts.services.orders import order_fill
from margin.assembly import contract_of
from margin.engine.fills import Effect, Fill, Holding, filled
from pmplatform.common.principals import Actor


def fill_record(*, account_id: int, fill: FillDocument, actor: Actor, now: datetime) -> Any:
    """Record a fill and its effects at its price; a client id that is known already has none again.

    No margin decides here: what was traded was traded. Returns the fill's row.

    Raises
    ------
    ValidationFailed, NotFound
    Conflict
        When the client id names another fill, the order is not open, or the instrument has settled.
    """
    with account_changing(account_id=account_id, kind=LedgerKind.FILL, actor=actor, now=now) as change:
        known = fill_known(change=change, fill=fill)
        if known is not None:
            return known
        recorded = fill_append(change=change, fill=fill)
        if fill.order_id is not None:
            order_fill(change=change, order_id=fill.order_id, quantity=fill.quantity)
        _fill_apply(change, fill, accounts.terms_of(recorded.instrument))
    return recorded


def _fill_apply(change: AccountChange, fill: FillDocument, terms: InstrumentDocument) -> None:
    held = position_held(change, fill.instrument)
    signed = fill.quantity if fill.side == OrderSide.BUY else fill.quantity.copy_negate()
    effect = filled(contract_of(terms), held, Fill(signed, fill.price, fill.fee, fill.fee_currency))
    effect_write(change=change, terms=terms, held=held, effect=effect)


def position_held(change: AccountChange, instrument: str) -> Holding:
    """What the account of a change holds of an instrument; zeros for nothing."""
    position = change.held(instrument).position
    return Holding() if position is None else Holding(position.quantity, position.entry_price)


def effect_write(*, change: AccountChange, terms: InstrumentDocument, held: Holding, effect: Effect) -> None:
    """Make an account what a fill or a settlement has made of it; `held` is its position before."""
    if terms.kind != InstrumentKind.SPOT:
        after = effect.holding
        position_set(
            change=change,
            instrument=terms.id,
            quantity=after.quantity,
            entry_price=_entry(held, after),
        )
    for currency, amount in sorted(effect.cash.items()):
        balance_add(change=change, currency=currency, amount=amount)


def _entry(held: Holding, after: Holding) -> Decimal:
    """A closed position leaves with the entry it had."""
    return after.entry_price if after.quantity else held.entry_price
