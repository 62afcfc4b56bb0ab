"""What an account-level figure reads of a shard, cut once: everything that no price can change."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.instruments import Instruments
from margin.engine.market import Market
from margin.engine.products import SparseRows, pointers

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.int64]

#: Accounts figured at a time. All arrays on the way then lie in memory that the process has already; for
#: 100,000 at once the system mapped them anew each time, 13,000 pages. Measured from 2,048 to 100,000
#: accounts a block: 16,384 took the least time.
_BLOCK_ACCOUNTS: Final = 16_384


@dataclass(frozen=True, eq=False)
class FutureLots:
    """The lots of perpetuals and futures, (L,) each: those with unrealised P&L, those of an account together.

    The lots of one account are in the order of the book.

    Attributes
    ----------
    coins : signed quantity times contract size; of an inverse contract with the other sign.
    entry : entry price; of an inverse contract one over it.
    """

    account: Ints
    instrument: Ints
    coins: Floats
    entry: Floats

    @classmethod
    def of(cls, book: Book, instruments: Instruments) -> Self:
        """The lots of a book that have unrealised P&L."""
        lots = book.lots
        mine = np.flatnonzero(~instruments.option[lots.instrument])
        account = lots.account[mine]
        if not (account[1:] >= account[:-1]).all():
            order = np.argsort(account, kind="stable")
            mine, account = mine[order], account[order]
        instrument, entry = lots.instrument[mine], lots.entry[mine]
        inverse = instruments.inverse[instrument]
        size = lots.quantity[mine] * instruments.contract_size[instrument]
        return cls(
            account=account,
            instrument=instrument,
            coins=np.where(inverse, -size, size),
            entry=np.where(inverse, 1.0 / entry, entry),
        )

    def unrealised(self, market: Market) -> "Unrealised":
        """Unrealised P&L of every lot: `n (mark - entry)`, inverse `n (1/entry - 1/mark)`."""
        # In place: of so many lots, each array more is memory that the system must map first.
        settled = market.future_price[self.instrument]
        settled -= self.entry
        settled *= self.coins
        usd = market.settle_usd[self.instrument]
        usd *= settled
        return Unrealised(settled, usd)


class Unrealised(NamedTuple):
    """Unrealised P&L of the lots, (L,) each, in settlement currency and in USD."""

    settled: Floats
    usd: Floats


@dataclass(frozen=True, eq=False)
class AccountBlock:
    """A range of a shard's accounts: what `ShardLayout` says of a of them.

    Attributes
    ----------
    accounts, lots : the range, and that of their lots.
    currencies : C codes.
    cash, present : (C, a)
    lot_cell : (l,) numbered within the block.
    options : (a * C, I)
    gross : (a, I)
    """

    accounts: slice
    lots: slice
    currencies: tuple[str, ...]
    cash: Floats
    present: Bools
    lot_cell: Cells
    options: SparseRows
    gross: SparseRows

    def __len__(self) -> int:
        return int(self.accounts.stop - self.accounts.start)

    def by_currency(self, cells: Floats) -> Floats:
        """(C, a) out of one entry for each cell."""
        return np.ascontiguousarray(cells.reshape(len(self), len(self.currencies)).T)


@dataclass(frozen=True, eq=False)
class ShardLayout:
    """The balances, lots and positions of A accounts over C currencies and I instruments.

    A *cell* is an account's holdings in one currency, numbered `account * C + currency`.

    Attributes
    ----------
    cash : (C, A) cash.
    present : (C, A) whether a report lists the currency: it has a balance, or a position settles in it.
    lots : those with unrealised P&L, L of them.
    lot_cell : (L,) the cell in which each lot's P&L counts.
    options : (A * C, I) coins of options held in each cell, in the order of the positions.
    gross : (A, I) absolute quantities of the positions.
    """

    book: Book
    instruments: Instruments
    cash: Floats
    present: Bools
    lots: FutureLots
    lot_cell: Cells
    options: SparseRows
    gross: SparseRows

    @classmethod
    def of(cls, book: Book, market: Market) -> Self:
        """The layout of a book over the instruments of a market."""
        settle, lots = _settle(book, market), FutureLots.of(book, market.instruments)
        positions = book.positions
        gross = SparseRows(
            pointers(positions.account, len(book)), positions.instrument, np.abs(positions.quantity)
        )
        return cls(
            book=book,
            instruments=market.instruments,
            cash=_cash(book),
            present=_present(book, settle),
            lots=lots,
            lot_cell=_cell(book, lots.account, settle[lots.instrument]),
            options=_options(book, market.instruments, settle),
            gross=gross,
        )

    @cached_property
    def blocks(self) -> tuple[AccountBlock, ...]:
        """The accounts in ranges that are figured at a time; one even without accounts."""
        return tuple(map(self._block, range(0, max(len(self.book), 1), _BLOCK_ACCOUNTS)))

    def _block(self, start: int) -> AccountBlock:
        stop, width = min(start + _BLOCK_ACCOUNTS, len(self.book)), len(self.book.currencies)
        accounts, cells = slice(start, stop), slice(start * width, stop * width)
        lots = slice(*np.searchsorted(self.lots.account, (start, stop)).tolist())
        return AccountBlock(
            accounts=accounts,
            lots=lots,
            currencies=self.book.currencies,
            cash=self.cash[:, accounts],
            present=self.present[:, accounts],
            lot_cell=self.lot_cell[lots] - cells.start,
            options=self.options.part(cells),
            gross=self.gross.part(accounts),
        )


def _settle(book: Book, market: Market) -> Ints:
    """(I,) index into the book's currencies of each settlement currency, -1 where nobody uses it."""
    names, code = market.settle_codes
    place = {name: i for i, name in enumerate(book.currencies)}
    return np.array([place.get(name, -1) for name in names], dtype=np.int32)[code]


def _cell(book: Book, account: Ints, currency: Ints) -> Cells:
    return account.astype(np.int64) * len(book.currencies) + currency


def _cash(book: Book) -> Floats:
    cash = np.zeros((len(book.currencies), len(book)))
    cash[book.balances.currency, book.balances.account] = book.balances.amount
    return cash


def _present(book: Book, settle: Ints) -> Bools:
    balances, positions = book.balances, book.positions
    present = np.zeros((len(book.currencies), len(book)), dtype=np.bool_)
    present[balances.currency, balances.account] = True
    present[settle[positions.instrument], positions.account] = True
    return present


def _options(book: Book, instruments: Instruments, settle: Ints) -> SparseRows:
    positions = book.positions
    mine = np.flatnonzero(instruments.option[positions.instrument])
    instrument = positions.instrument[mine]
    cell = _cell(book, positions.account[mine], settle[instrument])
    coins = positions.quantity[mine] * instruments.contract_size[instrument]
    if not (cell[1:] >= cell[:-1]).all():
        order = np.argsort(cell, kind="stable")
        cell, instrument, coins = cell[order], instrument[order], coins[order]
    return SparseRows(pointers(cell, len(book) * len(book.currencies)), instrument, coins)
