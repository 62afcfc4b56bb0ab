"""Expiry: what has expired settles once for each account, at one price for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from accounts import selectors as accounts
from accounts.choices import LedgerKind
from accounts.documents import InstrumentDocument
from accounts.services.activity import settlement_append
from accounts.services.changes import AccountChange, account_changing
from accounts.services.instruments import instruments_expire
from accounts.services.orders import orders_cancel
from margin import selectors
from margin.assembly import contract_of
from margin.choices import SettlementSource
from margin.engine.fills import settled
from margin.engine.instruments import Group
from margin.models import MarketSnapshot, SettlementPrice
from margin.services.fills import effect_write, position_held
from pmplatform.common.errors import LockTimeout
from pmplatform.common.principals import Actor

#: Accounts that one call settles: what a worker does well within a task's time.
BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class _Due:
    """An expired instrument whose price is fixed."""

    terms: InstrumentDocument
    price: Decimal


def settlements_run(*, now: datetime, limit: int = BATCH) -> int:
    """Settle up to ``limit`` accounts that hold what has expired by the newest snapshot; returns how many.

    An instrument that nobody holds any more becomes `expired`. Whoever calls this, and how often, an
    account settles an instrument once; one that another transaction holds locked is left to the next call.
    """
    newest = selectors.snapshot_latest()
    if newest is None:
        return 0
    ids = accounts.instruments_due(at=newest.as_of)
    due = _due(ids, now)
    priced = [ids[code] for code in due]
    holders = accounts.account_ids_holding(instruments=priced)[:limit]
    count = sum(_settle(account_id, newest, due, now) for account_id in holders)
    instruments_expire(codes=accounts.instruments_unheld(instruments=list(ids.values())))
    return count


def _due(ids: Mapping[str, int], now: datetime) -> dict[str, _Due]:
    """The expired instruments with a price, by code; prices that are still to be fixed are, where one is."""
    terms = accounts.instrument_terms(codes=ids)
    fixed = set(
        SettlementPrice.objects.filter(instrument__in=ids.values()).values_list("instrument", flat=True)
    )
    missing = [_price(pk, terms[code], now) for code, pk in ids.items() if pk not in fixed]
    SettlementPrice.objects.bulk_create([row for row in missing if row is not None], ignore_conflicts=True)
    # What another worker has fixed meanwhile holds.
    prices = SettlementPrice.objects.filter(instrument__in=ids.values())
    rows = prices.values_list("instrument__code", "price").order_by("instrument__code")
    return {code: _Due(terms[code], price) for code, price in rows}


def _price(instrument: int, terms: InstrumentDocument, now: datetime) -> SettlementPrice | None:
    """The venue's price in the first snapshot after expiry, else the index; None where there is neither.

    The index is that of the first snapshot not in HOLD: a price that is paid once is not taken from a jump
    that may not be confirmed.
    """
    assert terms.expiry is not None
    first = selectors.snapshot_first_after(terms.expiry)
    venue = first.settlement.get(terms.id)
    snapshot = selectors.snapshot_first_unheld_after(terms.expiry) if venue is None else first
    if snapshot is None:
        return None
    price = _index(snapshot, terms) if venue is None else Decimal(venue)
    if price is None:
        return None
    source = SettlementSource.INDEX if venue is None else SettlementSource.VENUE
    return SettlementPrice(
        instrument_id=instrument, snapshot=snapshot, source=source, price=price, fixed_at=now
    )


def _index(snapshot: MarketSnapshot, terms: InstrumentDocument) -> Decimal | None:
    """The pair index of the instrument's settlement group."""
    market = selectors.snapshot_market(snapshot.pk).to_market()
    if f"{terms.underlying}-USD" not in market.index:
        return None
    return Decimal(repr(float(market.pair_index(terms.underlying, Group.of(terms.settle)))))


def _settle(account_id: int, snapshot: MarketSnapshot, due: Mapping[str, _Due], now: datetime) -> bool:
    """Settle all that an account holds of what is due; False when it had nothing, or was locked."""
    actor = Actor(name="settlement", request_id=f"snapshot:{snapshot.pk}")
    try:
        with account_changing(
            account_id=account_id, kind=LedgerKind.SETTLEMENT, actor=actor, now=now
        ) as change:
            for instrument in due.values():
                _instrument_settle(change, instrument)
            return bool(change.entries)
    except LockTimeout:
        return False


def _instrument_settle(change: AccountChange, due: _Due) -> None:
    """Cancel the account's orders in an instrument, and turn its position into cash."""
    terms = due.terms
    orders_cancel(change=change, instrument=terms.id)
    held = position_held(change, terms.id)
    if not held.quantity:
        return
    effect = settled(contract_of(terms), held, due.price)
    effect_write(change=change, terms=terms, held=held, effect=effect)
    settlement_append(
        change=change,
        instrument=terms.id,
        quantity=held.quantity,
        price=due.price,
        cash=effect.cash.get(terms.settle, Decimal(0)),
    )
