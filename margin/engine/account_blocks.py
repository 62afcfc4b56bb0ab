"""The account level of a shard: figured block by block, and laid side by side."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.results import AccountFigures, CurrencyFigures, ShardMargin, UnitFigures, require_finite
from margin.engine.shard_layout import AccountBlock, ShardLayout

Floats = npt.NDArray[np.float64]

#: The one figure that the layout has side by side already.
_HELD: Final = "cash"

#: The account level of one block, by a methodology's own rules.
BlockFigures = Callable[[AccountBlock], tuple[AccountFigures, CurrencyFigures]]


def shard_margin(layout: ShardLayout, units: Sequence[UnitFigures], figures: BlockFigures) -> ShardMargin:
    """The margin of a shard out of its units and the figures of its accounts.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    ids = layout.book.ids

    def checked(block: AccountBlock) -> tuple[AccountFigures, CurrencyFigures]:
        # While the block is in the processor's cache: from memory, it would cost several times more.
        accounts, currencies = figures(block)
        mine = range(block.accounts.start, block.accounts.stop)
        require_finite((*accounts.figures(), *currencies.figures()), ids, mine)
        return accounts, currencies

    accounts, currencies = _side_by_side(layout, checked)
    for unit in units:
        if not unit.finite:
            require_finite(unit.figures(), ids, unit.account)
    return ShardMargin(ids, accounts, currencies, tuple(units))


def _side_by_side(layout: ShardLayout, figures: BlockFigures) -> tuple[AccountFigures, CurrencyFigures]:
    size, blocks = len(layout.book), layout.blocks
    accounts, currencies = figures(blocks[0])
    if len(blocks) == 1:
        return accounts, currencies
    by_account, by_currency = _Columns(size, accounts), _Columns(size, currencies)
    status = np.empty(size, dtype=accounts.status.dtype)
    status[blocks[0].accounts] = accounts.status
    for block in blocks[1:]:
        accounts, currencies = figures(block)
        by_account.put(block.accounts, accounts)
        by_currency.put(block.accounts, currencies)
        status[block.accounts] = accounts.status
    return (
        replace(accounts, **by_account.fields(), status=status),
        replace(currencies, **by_currency.fields(), cash=layout.cash.T, present=layout.present.T),
    )


class _Columns:
    """The figures of every block side by side, in one array: fresh memory is cheapest in large pieces."""

    def __init__(self, accounts: int, first: AccountFigures | CurrencyFigures) -> None:
        figures = {name: values for name, values in first.figures() if name != _HELD}
        block, *within = next(iter(figures.values())).shape
        whole = np.empty((len(figures), *within, accounts))
        self._columns: dict[str, Floats] = dict(zip(figures, whole, strict=True))
        self._extra = tuple(first.extra)
        self.put(slice(0, block), first)

    def put(self, accounts: slice, figures: AccountFigures | CurrencyFigures) -> None:
        """The figures of a range of accounts."""
        for name, values in figures.figures():
            if name in self._columns:
                self._columns[name][..., accounts] = values.T

    def fields(self) -> dict[str, Any]:
        """All of them as the fields of a result, accounts along the first axis."""
        columns = {name: column.T for name, column in self._columns.items()}
        extra = {name: columns.pop(name) for name in self._extra}
        return columns | {"extra": extra}
