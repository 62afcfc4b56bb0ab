"""Shards of the book out of the columns of the database: the same books as `assembly` makes of rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from accounts.columns import BookColumns
from margin.engine.book import Balances, Book, HedgeLimits, Lots, Orders, Positions, SpotOrders
from margin.engine.documents.account import read_hedge_mode
from margin.engine.documents.market import MarketRows
from margin.engine.documents.schema import Faults
from margin.engine.instruments import Instrument, Kind
from margin.engine.market import STABLE_CURRENCIES, Market
from margin.engine.parameters.library import Parameters

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Records = npt.NDArray[Any]

_NOWHERE: Final = -1


@dataclass(frozen=True, eq=False)
class Listing:
    """How instruments of the database stand in a snapshot, by their row id (the longest axis), (N,) each.

    Attributes
    ----------
    words : every currency and coin that the market, or somebody's cash, names; sorted byte strings.
    place : number in `Market.instruments`, -1 for what is not a derivative alive in the market.
    spot : whether it is a listed spot instrument.
    underlying, settle : places in `words`; meaningless for what is not listed.
    """

    words: Records
    place: Ints
    spot: Bools
    underlying: Ints
    settle: Ints

    @classmethod
    def of(cls, columns: BookColumns, rows: MarketRows, market: Market) -> Self:
        """The instruments that some columns name, in a market."""
        listed = {row: _listed(code, rows) for row, code in columns.codes.items()}
        found = {row: instrument for row, instrument in listed.items() if instrument is not None}
        names = {name for row in found.values() for name in (row.underlying, row.settle)}
        words = np.unique(
            np.concatenate(
                [
                    np.array(sorted(names), dtype="S16"),
                    columns.balances["currency"],
                    columns.limits["coin"],
                ]
            )
        )
        size = max(columns.codes, default=0) + 1
        listing = cls(
            words=words,
            place=np.full(size, _NOWHERE, dtype=np.int32),
            spot=np.zeros(size, dtype=np.bool_),
            underlying=np.zeros(size, dtype=np.int32),
            settle=np.zeros(size, dtype=np.int32),
        )
        listing._fill(found, market.places)
        return listing

    def _fill(self, found: Mapping[int, Instrument], places: Mapping[str, int]) -> None:
        number = {word.decode(): i for i, word in enumerate(self.words.tolist())}
        for row, instrument in found.items():
            self.spot[row] = instrument.kind is Kind.SPOT
            self.place[row] = places.get(instrument.id, _NOWHERE)
            self.underlying[row] = number[instrument.underlying]
            self.settle[row] = number[instrument.settle]

    def numbers(self, names: Records) -> Ints:
        """The places of names in `words`."""
        return np.searchsorted(self.words, names).astype(np.int32)


def _listed(code: str, rows: MarketRows) -> Instrument | None:
    place = rows.places.get(code)
    return None if place is None else rows.instruments[place]


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of one kind, and the number of the account that each belongs to, ascending."""

    rows: Records
    owner: Ints

    @classmethod
    def of(cls, rows: Records, ids: npt.NDArray[np.int64]) -> Self:
        """Rows of accounts that are numbered by their ids, ascending."""
        return cls(rows, np.searchsorted(ids, rows["account"].astype(np.int64)).astype(np.int32))

    def taken(self, start: int, taken: Bools) -> Self:
        """The rows of the accounts from `start` on that are `taken`, numbered anew from 0."""
        first, last = np.searchsorted(self.owner, (start, start + len(taken)))
        rows, owner = self.rows[first:last], self.owner[first:last] - np.int32(start)
        if taken.all():
            return type(self)(rows, owner)
        mine, number = taken[owner], np.cumsum(taken, dtype=np.int32) - np.int32(1)
        return type(self)(rows[mine], number[owner[mine]])


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of A accounts of one methodology against a listing; accounts are numbered from 0 by id."""

    methodology: str
    listing: Listing
    accounts: Records
    balances: Table
    positions: Table
    orders: Table
    limits: Table

    @classmethod
    def of(cls, source: BookColumns, methodology: str, rows: MarketRows, market: Market) -> Self:
        """Columns of the database in a market."""
        ids = source.accounts["account"].astype(np.int64)
        tables = (
            Table.of(table, ids)
            for table in (source.balances, source.positions, source.orders, source.limits)
        )
        return cls(methodology, Listing.of(source, rows, market), source.accounts, *tables)

    def positions_each(self) -> npt.NDArray[np.int64]:
        """(A,) how many positions each account has."""
        return np.bincount(self.positions.owner, minlength=len(self.accounts))

    def doubtful(self, rows: MarketRows, parameters: Parameters) -> Bools:
        """(A,) who may hold something that cannot be margined: all others can be."""
        listing = self.listing
        fine_word, fine_coin = _fine(listing.words, rows, parameters)
        priced = fine_word[listing.underlying] & fine_word[listing.settle]
        derivative = priced & (listing.place >= 0) & fine_coin[listing.underlying]
        doubtful = np.zeros(len(self.accounts), dtype=np.bool_)
        for held, good in ((self.positions, derivative), (self.orders, derivative | priced & listing.spot)):
            doubtful[held.owner[~good[held.rows["instrument"]]]] = True
        for named, column in ((self.balances, "currency"), (self.limits, "coin")):
            doubtful[named.owner[~fine_word[listing.numbers(named.rows[column])]]] = True
        return doubtful

    def part(self, start: int, taken: Bools) -> "Shard":
        """The accounts from `start` on that are `taken`."""
        return Shard(
            self.methodology,
            self.listing,
            self.accounts[start : start + len(taken)][taken],
            *(
                table.taken(start, taken)
                for table in (self.balances, self.positions, self.orders, self.limits)
            ),
        )


def _fine(words: Records, rows: MarketRows, parameters: Parameters) -> tuple[Bools, Bools]:
    """Which words are priced by market and parameters as currencies, and which as coins of derivatives."""
    names = [word.decode() for word in words.tolist()]

    def covers(coins: list[str], currencies: list[str]) -> bool:
        faults = Faults()
        parameters.check_covers(coins, currencies, faults)
        return not faults

    currency = np.array([_priced(name, rows) and covers([], [name]) for name in names], dtype=np.bool_)
    coin = np.array([covers([name], []) for name in names], dtype=np.bool_)
    return currency, coin


def _priced(name: str, rows: MarketRows) -> bool:
    if name in STABLE_CURRENCIES:
        return name == "USD" or name in rows.fx
    return f"{name}-USD" in rows.index


@dataclass(frozen=True, eq=False)
class Shard:
    """Some accounts of columns that can all be margined."""

    methodology: str
    listing: Listing
    accounts: Records
    balances: Table
    positions: Table
    orders: Table
    limits: Table

    @property
    def ledger_positions(self) -> npt.NDArray[np.int64]:
        """(A,) the ledger position of each account."""
        return self.accounts["position"].astype(np.int64)

    def book(self) -> Book:
        """The columnar book."""
        listing, lots = self.listing, self.positions
        named = [listing.numbers(self.balances.rows["currency"]), listing.numbers(self.limits.rows["coin"])]
        held = _distinct(len(listing.place), lots.rows["instrument"], self.orders.rows["instrument"])
        used = _distinct(len(listing.words), *named, listing.underlying[held], listing.settle[held])
        currency = _renumbered(used, len(listing.words))
        limits = self.limits.rows
        return Book(
            ids=tuple(map(str, self.accounts["account"].tolist())),
            hedge_mode=self._modes(),
            currencies=tuple(word.decode() for word in listing.words[used].tolist()),
            balances=Balances(self.balances.owner, currency(named[0]), _native(self.balances.rows["amount"])),
            positions=_positions(lots, listing),
            lots=Lots(
                lots.owner,
                listing.place[lots.rows["instrument"]],
                _native(lots.rows["quantity"]),
                _native(lots.rows["price"]),
            ),
            orders=_orders(self.orders, listing),
            spot_orders=_spot_orders(self.orders, listing, currency),
            hedge_limits=HedgeLimits(
                self.limits.owner, currency(named[1]), _native(limits["ratio"]), _native(limits["most"])
            ),
        )

    def _modes(self) -> npt.NDArray[np.int8]:
        words, code = np.unique(self.accounts["mode"], return_inverse=True)
        faults = Faults()
        modes = [
            read_hedge_mode(word.decode() or None, self.methodology, "hedge_mode", faults)
            for word in words.tolist()
        ]
        faults.raise_if_any()
        return np.array(modes, dtype=np.int8)[code]


def _positions(lots: Table, listing: Listing) -> Positions:
    place, quantity = listing.place[lots.rows["instrument"]], _native(lots.rows["quantity"])
    order = np.argsort(lots.owner.astype(np.int64) * len(listing.place) + place)
    return Positions(lots.owner[order], place[order], quantity[order])


def _orders(orders: Table, listing: Listing) -> Orders:
    mine = ~listing.spot[orders.rows["instrument"]]
    rows = orders.rows[mine]
    return Orders(
        orders.owner[mine],
        listing.place[rows["instrument"]],
        _native(rows["quantity"]),
        _native(rows["price"]),
    )


def _spot_orders(orders: Table, listing: Listing, currency: Callable[[Ints], Ints]) -> SpotOrders:
    mine = listing.spot[orders.rows["instrument"]]
    rows = orders.rows[mine]
    return SpotOrders(
        orders.owner[mine],
        currency(listing.underlying[rows["instrument"]]),
        currency(listing.settle[rows["instrument"]]),
        _native(rows["quantity"]),
        _native(rows["price"]),
    )


def _distinct(size: int, *numbers: Records) -> Records:
    """The numbers below a size that occur, ascending; many are seen faster by a mark than by their order."""
    seen = np.zeros(size, dtype=np.bool_)
    for some in numbers:
        seen[some] = True
    return np.flatnonzero(seen)


def _renumbered(used: Records, size: int) -> Callable[[Ints], Ints]:
    """From places among all words to places among those used."""
    place = np.full(size, _NOWHERE, dtype=np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return lambda numbers: place[numbers]


def _native(values: Records) -> npt.NDArray[np.float64]:
    return values.astype(np.float64)


def cuts(sizes: npt.NDArray[np.int64], *, accounts: int, positions: int) -> Iterator[tuple[int, int]]:
    """Ranges of accounts for shards: at most so many accounts, and about so many positions, in each."""
    start, total = 0, np.concatenate(([0], np.cumsum(sizes)))
    while start < len(sizes):
        full = int(np.searchsorted(total, total[start] + positions, side="right")) - 1
        stop = min(max(full, start + 1), start + accounts, len(sizes))
        yield start, stop
        start = stop
