"""Spot that takes part in a risk unit: how much of the coin hedges the unit's derivatives."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from margin.engine.book import UNLIMITED, Book

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpotHedge:
    """One coin's spot over the pairs of a unit, (P,) each.

    Attributes
    ----------
    amount : cash balance in coins, 0 where the holder's mode keeps spot out of this unit.
    ordered : net coins of open spot orders, all buys minus all sells.
    ratio, max_amount : the holder's own limits.
    """

    amount: Floats
    ordered: Floats
    ratio: Floats
    max_amount: Floats

    @classmethod
    def none(cls, pairs: int) -> Self:
        """No spot at all."""
        absent = np.zeros(pairs)
        return cls(absent, absent, absent + 1.0, absent + UNLIMITED)

    def part(self, pairs: slice) -> Self:
        """That of a range of pairs."""
        return type(self)(self.amount[pairs], self.ordered[pairs], self.ratio[pairs], self.max_amount[pairs])


def spot_hedge(book: Book, coin: str, account: Ints, taking_part: npt.NDArray[np.bool_]) -> SpotHedge:
    """The coin's spot of the given accounts; `taking_part` (P,) says whose spot may hedge this unit."""
    if coin not in book.currencies:
        return SpotHedge.none(len(account))
    column = book.currencies.index(coin)
    size = len(book)

    def by_account(accounts: Ints, currency: Ints, values: Floats, default: float) -> Floats:
        mine = currency == column
        found = np.full(size, default)
        found[accounts[mine]] = values[mine]
        return found[account]

    balances, limits, orders = book.balances, book.hedge_limits, book.spot_orders
    mine = orders.base == column
    ordered = np.bincount(orders.account[mine], weights=orders.quantity[mine], minlength=size)[account]
    amount = by_account(balances.account, balances.currency, balances.amount, 0.0)
    return SpotHedge(
        amount=np.where(taking_part, amount, 0.0),
        ordered=np.where(taking_part, ordered, 0.0),
        ratio=by_account(limits.account, limits.currency, limits.ratio, 1.0),
        max_amount=by_account(limits.account, limits.currency, limits.max_amount, UNLIMITED),
    )


def spot_in_use(amount: Floats, delta: Floats, ratio: Floats, max_amount: Floats) -> Floats:
    """`H`: spot opposite to the derivatives' delta, within the limits and never more than |delta|."""
    opposite = ((amount > 0.0) & (delta < 0.0)) | ((amount < 0.0) & (delta > 0.0))
    size = np.minimum(np.minimum(np.abs(amount) * ratio, max_amount), np.abs(delta))
    return np.where(opposite, np.sign(amount) * size, 0.0)
