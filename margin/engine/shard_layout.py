"""What an account-level figure reads of a shard, cut once: everything that no price can change."""

from dataclasses import dataclass
from typing import Self

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


@dataclass(frozen=True, eq=False)
class FutureLots:
    """The lots of perpetuals and futures in the order of the book, (L,) each: those with unrealised P&L.

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
        instrument, entry = lots.instrument[mine], lots.entry[mine]
        inverse = instruments.inverse[instrument]
        size = lots.quantity[mine] * instruments.contract_size[instrument]
        return cls(
            account=lots.account[mine],
            instrument=instrument,
            coins=np.where(inverse, -size, size),
            entry=np.where(inverse, 1.0 / entry, entry),
        )

    def unrealised(self, market: Market) -> Floats:
        """(L,) unrealised P&L in settlement currency: `n (mark - entry)`, inverse `n (1/entry - 1/mark)`."""
        return self.coins * (market.future_price[self.instrument] - self.entry)

    def unrealised_usd(self, market: Market) -> Floats:
        """(L,) the same in USD."""
        return self.unrealised(market) * market.settle_usd[self.instrument]


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

    @property
    def shape(self) -> tuple[int, int]:
        """(A, C)"""
        return len(self.book), len(self.book.currencies)

    def by_currency(self, cells: Floats) -> Floats:
        """(C, A) out of one entry for each cell."""
        return np.ascontiguousarray(cells.reshape(self.shape).T)


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
