"""The rows of a few accounts, exactly as the database keeps them."""

from collections.abc import Sequence

from accounts import selectors as accounts
from margin.assembly import AccountInput, by_account


def account_inputs(ids: Sequence[int]) -> list[AccountInput]:
    """What margin reads of the given accounts, in the order of their ids."""
    balances = by_account(accounts.balance_rows(ids))
    positions = by_account(accounts.position_rows(ids))
    orders = by_account(accounts.order_rows(ids))
    limits = by_account(accounts.hedge_limit_rows(ids))
    return [
        AccountInput(
            id=pk,
            code=code,
            methodology=name,
            hedge_mode=mode,
            ledger_position=position,
            balances=[(currency, amount) for currency, amount in balances[pk]],
            positions=[(code, quantity, entry) for code, quantity, entry in positions[pk]],
            orders=[(code, side, quantity, price) for code, side, quantity, price in orders[pk]],
            hedge_limits=[(coin, ratio, most) for coin, ratio, most in limits[pk]],
        )
        for pk, code, name, mode, position in accounts.account_rows(ids)
    ]
