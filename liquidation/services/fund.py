"""The insurance fund: what it holds, and every change of it as an entry of its ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts import selectors as accounts
from accounts.rules import amount_faults, currency_faults
from liquidation import selectors
from liquidation.choices import FundEntryKind
from liquidation.models import FundBalance, FundEntry, FundPosition, LiquidationCase
from margin.assembly import contract_of
from margin.engine.documents.book import BookDocument
from margin.engine.fills import Contract, Fill, Holding, filled, settled
from margin.selectors import settlement_prices
from pmplatform.common.audit import audit_append
from pmplatform.common.decimals import EXACT, decimal_text
from pmplatform.common.errors import Refused, ValidationFailed
from pmplatform.common.locking import turn_take
from pmplatform.common.principals import Actor

TURN = "insurance-fund"


@dataclass(frozen=True, slots=True)
class FundChange:
    """Why the fund changes: written with every entry."""

    kind: FundEntryKind
    actor: Actor
    now: datetime
    case: LiquidationCase | None = None
    reason: str = ""


@transaction.atomic
def fund_transfer(*, currency: str, amount: Decimal, reason: str, actor: Actor, now: datetime) -> FundBalance:
    """Pay into the fund or, with a negative amount, take out what cash there is.

    Raises
    ------
    ValidationFailed
    Refused
        When the fund has less of the currency.
    """
    faults = [*currency_faults(currency, "currency"), *amount_faults(amount, "amount")]
    if faults or not amount or not reason.strip():
        empty = ValidationFailed.at("amount" if reason.strip() else "reason", "is zero or empty")
        raise ValidationFailed(faults) if faults else empty
    turn_take(TURN)
    held = dict(selectors.fund_balances().values_list("currency", "amount")).get(currency, Decimal(0))
    if amount < 0 and held + amount < 0:
        raise Refused([f"The fund has only {decimal_text(held)} {currency}."])
    kind = FundEntryKind.DEPOSIT if amount > 0 else FundEntryKind.WITHDRAWAL
    fund_move(FundChange(kind, actor, now, reason=reason), currency, amount)
    audit_append(
        actor=actor,
        action=f"insurance_fund.{kind}",
        object_type="insurance_fund",
        object_id=currency,
        tenant_id=None,
        before={"amount": decimal_text(held)},
        after={"amount": decimal_text(held + amount)},
        reason=reason,
    )
    return FundBalance.objects.get(currency=currency)


def fund_move(change: FundChange, currency: str, amount: Decimal) -> None:
    """Add cash to the fund, or take it away; the caller has the fund's turn."""
    if not amount:
        return
    balance, _ = FundBalance.objects.get_or_create(currency=currency, defaults={"amount": Decimal(0)})
    balance.amount = EXACT.add(balance.amount, amount)
    balance.save(update_fields=["amount"])
    _append(change, f"balance:{currency}", amount, None)


def fund_trade(
    change: FundChange, instrument: str, quantity: Decimal, price: Decimal
) -> Mapping[str, Decimal]:
    """Give the fund a signed quantity at a price; returns the cash that this moves, by currency."""
    [(code, terms)] = accounts.instrument_terms(codes=[instrument]).items()
    row = FundPosition.objects.filter(instrument__code=code).first()
    held = Holding(row.quantity, row.entry_price) if row else Holding()
    effect = filled(contract_of(terms), held, Fill(quantity, price))
    _position_write(row, code, effect.holding)
    _append(change, f"position:{code}", quantity, price)
    for currency, amount in sorted(effect.cash.items()):
        fund_move(change, currency, amount)
    return effect.cash


def _position_write(row: FundPosition | None, code: str, after: Holding) -> None:
    if row is not None and not after.quantity:
        row.delete()
        return
    if after.quantity:
        row = row or FundPosition(instrument=accounts.instruments_all().get(code=code))
        row.quantity, row.entry_price = after.quantity, after.entry_price
        row.save()


def _append(change: FundChange, subject: str, amount: Decimal, price: Decimal | None) -> None:
    FundEntry.objects.create(
        kind=change.kind,
        subject=subject,
        amount=amount,
        price=price,
        case=change.case,
        by=change.actor.name,
        reason=change.reason,
        at=change.now,
    )


def fund_worth_usd(book: BookDocument) -> Decimal:
    """What the fund would have if it traded all away at the marks of a book's market; USD.

    Raises
    ------
    Refused
        When something it holds has no price there.
    """
    cash: dict[str, Decimal] = dict(selectors.fund_balances().values_list("currency", "amount"))
    for row in selectors.fund_positions():
        place = book.market_rows.places.get(row.instrument.code)
        if place is None:
            raise Refused([f"{row.instrument.code} of the insurance fund is not listed by the snapshot."])
        instrument = book.market_rows.instruments[place]
        mark = Decimal(repr(instrument.mark))
        held = Holding(row.quantity, row.entry_price)
        for currency, amount in filled(
            Contract.of(instrument), held, Fill(row.quantity.copy_negate(), mark)
        ).cash.items():
            cash[currency] = cash.get(currency, Decimal(0)) + amount
    prices = {currency: Decimal(repr(float(book.market.usd_price(currency)))) for currency in cash}
    return sum((amount * prices[currency] for currency, amount in cash.items()), Decimal(0))


@transaction.atomic
def fund_settle(*, actor: Actor, now: datetime) -> int:
    """Turn what has expired in the fund into cash, at the prices that accounts settle at."""
    turn_take(TURN)
    rows = {row.instrument.code: row for row in selectors.fund_positions()}
    prices = settlement_prices(list(rows))
    change = FundChange(FundEntryKind.SETTLEMENT, actor, now)
    for code, price in sorted(prices.items()):
        row, terms = rows[code], accounts.instrument_terms(codes=[code])[code]
        effect = settled(contract_of(terms), Holding(row.quantity, row.entry_price), price)
        _append(change, f"position:{code}", row.quantity.copy_negate(), price)
        row.delete()
        for currency, amount in sorted(effect.cash.items()):
            fund_move(change, currency, amount)
    return len(prices)
