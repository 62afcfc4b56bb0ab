"""The insurance fund takes an account that cannot be saved, with all that it holds."""

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Final

from accounts import selectors as accounts
from accounts.choices import OrderSide
from accounts.documents import FillDocument
from accounts.services.changes import AccountChange
from liquidation.choices import CaseOutcome, CaseState, FundEntryKind
from liquidation.models import LiquidationCase
from liquidation.planner.amounts import CONTEXT, ZERO, decimal_of, down
from liquidation.planner.plan import Plan, Takeover
from liquidation.services.booking import Booking, Effects, effect_add, effects_text
from liquidation.services.cases import case_close, case_tell
from liquidation.services.fund import TURN, FundChange, fund_move, fund_trade, fund_worth_usd
from margin.engine.documents.book import BookDocument
from pmplatform.common.decimals import decimal_text
from pmplatform.common.digest import sha256_hex
from pmplatform.common.locking import turn_take

#: In which currency the fund pays a refund beyond the cash that it has taken.
_REFUND_CURRENCY: Final = "USDT"


def take_over(change: AccountChange, case: LiquidationCase, plan: Plan, book: BookDocument) -> None:
    """Hand a held case's account to the fund, or ask for deleveraging where the fund cannot bear it."""
    assert plan.takeover is not None
    turn_take(TURN)
    worth = fund_worth_usd(book)
    case.takeover = {**takeover_terms(plan.takeover), "fund_worth_usd": float(worth)}
    if worth < decimal_of(plan.takeover.shortfall_usd):
        _adl_ask(change, case)
        return
    booking = Booking(change)
    with localcontext(CONTEXT):
        realised = _positions_hand_over(booking, case, book, plan.takeover)
        case.takeover |= {"realised": effects_text(realised)}
        _cash_hand_over(booking, case, _refund_usd(plan.takeover), book)
    case_close(change, case, CaseOutcome.TAKEOVER)


def takeover_terms(takeover: Takeover) -> dict[str, object]:
    """On which terms the fund takes an account, as plain values."""
    return {
        "net_equity_usd": takeover.net_equity_usd,
        "shortfall_usd": takeover.shortfall_usd,
        "cost_usd": float(takeover.cost_usd),
        "prices": {name: decimal_text(price) for name, price in takeover.prices.items()},
    }


def _adl_ask(change: AccountChange, case: LiquidationCase) -> None:
    before = case.state
    case.state, case.lease_until = CaseState.ADL_REQUIRED, None
    case.blocked = "The insurance fund cannot bear the shortfall: deleveraging is required."
    case.save()
    case_tell(case, actor=change.actor, action="adl_require", before=before, reason=case.blocked)


def _refund_usd(takeover: Takeover) -> Decimal:
    """What is left of a solvent account when the fund has paid for trading it away."""
    return max(ZERO, decimal_of(takeover.net_equity_usd) - takeover.cost_usd)


def _positions_hand_over(
    booking: Booking, case: LiquidationCase, book: BookDocument, takeover: Takeover
) -> Effects:
    """Close every position at its price of the takeover, and open it in the fund at the same.

    Returns the cash that this has realised with the account and, where it held the contrary, with the fund.
    """
    taking = _change(booking, case, FundEntryKind.TAKEOVER)
    realised: Effects = {}
    for _, code, quantity, _ in accounts.position_rows([case.account_id]):
        price = _price(takeover, code, book)
        booking.trade(
            FillDocument(
                instrument=code,
                side=OrderSide.SELL if quantity > 0 else OrderSide.BUY,
                quantity=abs(quantity),
                price=price,
                fee=ZERO,
                fee_currency=book.market_rows.instruments[book.market_rows.places[code]].settle,
                client_id=sha256_hex(f"takeover:{case.pk}:{code}".encode()),
            )
        )
        for currency, amount in fund_trade(taking, code, quantity, price).items():
            effect_add(realised, f"balance:{currency}", amount)
    for subject, amount in booking.effects.items():
        if subject.startswith("balance:"):
            effect_add(realised, subject, amount)
    return realised


def _price(takeover: Takeover, code: str, book: BookDocument) -> Decimal:
    """The bankruptcy price; mark for a holder so rich that there is none above zero."""
    price = takeover.prices[code]
    if price > 0:
        return price
    return down(decimal_of(book.market_rows.instruments[book.market_rows.places[code]].mark or 0.0))


def _cash_hand_over(booking: Booking, case: LiquidationCase, refund: Decimal, book: BookDocument) -> None:
    """Move all cash to the fund but the refund, which stays or, where cash is short, comes from the fund."""
    cash = accounts.balances_of(account_id=case.account_id)
    kept = _kept(cash, refund, book)
    # Positions have moved by trades whose cash is the fund's already: only what is left is taken here.
    taking = _change(booking, case, FundEntryKind.TAKEOVER)
    for currency, amount in sorted(cash.items()):
        left = amount - min(kept.get(currency, ZERO), max(amount, ZERO))
        booking.move(currency, -left)
        fund_move(taking, currency, left)
    refunding = _change(booking, case, FundEntryKind.REFUND)
    for currency, amount in kept.items():
        paid = amount - min(amount, max(cash.get(currency, ZERO), ZERO))
        booking.move(currency, paid)
        fund_move(refunding, currency, -paid)


def _kept(cash: Mapping[str, Decimal], refund: Decimal, book: BookDocument) -> dict[str, Decimal]:
    """How the refund is made up: of the account's own cash, most USD first, then of the fund's."""
    prices = {name: decimal_of(float(book.market.usd_price(name))) for name in {*cash, _REFUND_CURRENCY}}
    kept: dict[str, Decimal] = {}
    for name in sorted(cash, key=lambda name: (-cash[name] * prices[name], name)):
        if cash[name] > 0 and refund > 0:
            kept[name] = min(cash[name], down(refund / prices[name]))
            refund -= kept[name] * prices[name]
    if rest := down(max(refund, ZERO) / prices[_REFUND_CURRENCY]):
        kept[_REFUND_CURRENCY] = kept.get(_REFUND_CURRENCY, ZERO) + rest
    return kept


def _change(booking: Booking, case: LiquidationCase, kind: FundEntryKind) -> FundChange:
    return FundChange(kind, booking.change.actor, booking.change.now, case)
