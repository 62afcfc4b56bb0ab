"""The insurance fund takes what cannot be saved: on its terms, and with nothing made or lost on the way.

Bitcoin is at 100,000 and stable currencies are at par, one contract is one coin.
"""

from decimal import Decimal

import pytest

from accounts.models import Account, Balance, Position
from liquidation.choices import CaseOutcome, CaseState
from liquidation.models import FundBalance, FundPosition, LiquidationCase
from liquidation.services.fund import fund_transfer
from tests.liquidation.queue.support import OFFICER, SWAP, Document, at, opened, stored, worked
from tests.margin.engine.support import book, position

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("invariants_hold")]


def losing(quantity: int = 10, usdt: int = 190_000) -> Document:
    """Long coins of which each has lost 20,000, or short ones of which each has."""
    return book([position(SWAP, quantity, 120_000 if quantity > 0 else 80_000)], balances={"USDT": usdt})


def taken_over(account: Account) -> LiquidationCase:
    """The case of an account once workers have done all they can."""
    case = opened(account)
    worked()
    case.refresh_from_db()
    return case


def fund(amount: int) -> None:
    fund_transfer(currency="USDT", amount=Decimal(amount), reason="capital", actor=OFFICER, now=at())


def fund_cash() -> dict[str, Decimal]:
    return {row.currency: row.amount for row in FundBalance.objects.all()}


def test_the_fund_takes_positions_at_the_price_that_uses_up_the_equity() -> None:
    [account] = stored(losing())
    fund(50_000)
    case = taken_over(account)
    assert (case.state, case.outcome, case.residuals) == (CaseState.CLOSED, CaseOutcome.TAKEOVER, {})
    # 10,000 are missing over a million of notional: 1 % above the mark for a long.
    position_of_fund = FundPosition.objects.get()
    assert (position_of_fund.quantity, position_of_fund.entry_price) == (10, 101_000)
    # 190,000 less 10 * 19,000 of loss: no cash comes with it, and the fund is 10,000 poorer at mark.
    assert fund_cash() == {"USDT": 50_000}
    assert not Position.objects.exists()
    assert all(row.amount == 0 for row in Balance.objects.all())


def test_what_the_fund_nets_with_a_position_of_its_own_is_conserved_too() -> None:
    long, short = stored(losing(), losing(-10))
    fund(50_000)
    cases = [taken_over(account) for account in (long, short)]
    assert [case.residuals for case in cases] == [{}, {}]
    # Bought at 101,000 and sold at 99,000: both shortfalls of 10,000 are realised.
    assert not FundPosition.objects.exists()
    assert fund_cash() == {"USDT": 30_000}


def test_a_fund_that_cannot_bear_the_shortfall_asks_for_deleveraging() -> None:
    [account] = stored(losing())
    fund(9_000)
    case = taken_over(account)
    assert (case.state, case.outcome) == (CaseState.ADL_REQUIRED, None)
    assert Position.objects.get().quantity == 10
    assert fund_cash() == {"USDT": 9_000}
