"""What a step's trades and conversions do to an account's rows: by the rules the planner plans with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from accounts import selectors as accounts
from accounts.choices import OrderSide
from accounts.documents import FillDocument
from accounts.services.activity import fill_append
from accounts.services.changes import AccountChange, balance_add
from accounts.services.orders import orders_cancel
from liquidation.planner.amounts import decimal_of
from margin.assembly import contract_of
from margin.engine.fills import Fill, filled
from margin.services.fills import effect_write, position_held
from pmplatform.common.decimals import EXACT, decimal_text

Effects = dict[str, Decimal]


@dataclass
class Booking:
    """Writes into an account that is being changed, and adds up what it has moved, by ledger subject."""

    change: AccountChange
    effects: Effects = field(default_factory=dict)

    def trade(self, fill: FillDocument) -> int:
        """Book a fill at its price and fee; returns the id of its row.

        The entry price counts as the float of the book document, so that execution on paper and dry run
        agree to the last digit.
        """
        recorded = fill_append(change=self.change, fill=fill)
        terms = accounts.terms_of(recorded.instrument)
        held = position_held(self.change, fill.instrument)
        margined = replace(held, entry_price=decimal_of(float(held.entry_price)))
        signed = fill.quantity if fill.side == OrderSide.BUY else fill.quantity.copy_negate()
        effect = filled(contract_of(terms), margined, Fill(signed, fill.price, fill.fee, fill.fee_currency))
        if effect.holding.entry_price == margined.entry_price:
            kept = replace(effect.holding, entry_price=held.entry_price)
            effect = replace(effect, holding=kept)
        effect_write(change=self.change, terms=terms, held=held, effect=effect)
        effect_add(self.effects, f"position:{fill.instrument}", signed)
        for currency, amount in effect.cash.items():
            effect_add(self.effects, f"balance:{currency}", amount)
        return int(recorded.pk)

    def move(self, currency: str, amount: Decimal) -> None:
        """Add cash, or take it away."""
        if amount:
            balance_add(change=self.change, currency=currency, amount=amount)
            effect_add(self.effects, f"balance:{currency}", amount)

    def cancel_orders(self) -> int:
        """Cancel every open order; returns how many there were."""
        rows = accounts.order_rows([self.change.account.pk])
        codes = sorted({instrument for _, instrument, *_ in rows})
        return sum(orders_cancel(change=self.change, instrument=code) for code in codes)


def effect_add(effects: Effects, subject: str, amount: Decimal) -> None:
    """Add to one of the effects."""
    effects[subject] = EXACT.add(effects.get(subject, Decimal(0)), amount)


def effects_text(effects: Mapping[str, Decimal]) -> dict[str, str]:
    """Effects as a step keeps them."""
    return {subject: decimal_text(amount) for subject, amount in sorted(effects.items())}


def effects_read(texts: Mapping[str, str]) -> Effects:
    """Effects as they were kept."""
    return {subject: Decimal(text) for subject, text in texts.items()}
