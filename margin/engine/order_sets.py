"""Order sets: which of an account's open orders stand beside its positions in one evaluation.

A *pair* is one account in one risk unit. A *row* is one order set of a pair: its positions, alone or with
the orders of positive delta, of negative delta, or with all of them. All rows of a unit form one sparse
matrix over "one contract long" and "one contract short" of each instrument, so that gross charges are
columns like any other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book, Orders, Positions
from margin.engine.products import SparseRows, group_sums, pointers
from margin.engine.units import Partition, RiskUnit

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class OrderSet(IntEnum):
    """Order sets in the order in which ties are decided."""

    POSITIONS = 0
    POSITIVE_DELTA = 1
    NEGATIVE_DELTA = 2
    TOTAL = 3


class _Lean(IntEnum):
    """Which way an order leans: by the sign of the coin delta it would add."""

    POSITIVE = 0
    NEGATIVE = 1
    ZERO = 2


#: The report's names of what binds, by `binding_code`.
BINDING_NAMES: Final = tuple(
    f"{order_set.name.lower()}{spot}" for order_set in OrderSet for spot in ("", "_with_spot_orders")
)


def binding_code(order_set: Ints, with_spot_orders: Bools) -> Ints:
    """Index into `BINDING_NAMES` of order sets, without or with the spot orders."""
    return 2 * order_set + with_spot_orders


#: Whether an order that leans so (column) belongs to an order set (row).
_MEMBERS: Final = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.bool_)


#: About how many runs one sparse product takes at a time, and how many rows are evaluated at a time.
_CHUNK_RUNS: Final = 2_048
_BLOCK_ROWS: Final = 4_096


def _sets(*names: OrderSet) -> list[bool]:
    return [order_set in names for order_set in OrderSet]


@dataclass(frozen=True, eq=False)
class SetRule:
    """Which order sets a methodology evaluates, by the leanings present: bit 0 positive, 1 negative, 2 zero.

    Sets of equal contents are named by the first and stand once.
    """

    table: npt.NDArray[np.bool_]


#: OKX: max over P + B+, P + B-, P + both. Orders of zero delta join both sides, and the total once.
OKX_SETS: Final = SetRule(
    np.array(
        [
            _sets(OrderSet.POSITIONS),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA, OrderSet.TOTAL),
            _sets(OrderSet.POSITIVE_DELTA),
            _sets(OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA, OrderSet.TOTAL),
        ]
    )
)

#: Bybit: positions alone, with the positive side, with the negative side.
BYBIT_SETS: Final = SetRule(
    np.array(
        [
            _sets(OrderSet.POSITIONS),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
            _sets(OrderSet.POSITIONS, OrderSet.POSITIVE_DELTA, OrderSet.NEGATIVE_DELTA),
        ]
    )
)


#: No orders: they are margined by themselves.
POSITIONS_ALONE: Final = SetRule(np.array([_sets(OrderSet.POSITIONS)] * 8))


@dataclass(frozen=True, eq=False)
class UnitRows:
    """The rows of one risk unit over a shard: P pairs, R rows, N runs of one row in one expiry bucket.

    Attributes
    ----------
    pair_account : (P,) account of each pair: first those without any order, ascending, then the others.
    row_pair, row_set : (R,) pair and `OrderSet` of each row, sorted by both.
    entries : (R, 2M) sparse absolute quantities over long (2m) and short (2m + 1) contracts.
    run_indptr : (N + 1,) the same entries cut by expiry bucket.
    run_bucket : (N,) expiry bucket of each run.
    row_runs : (R + 1,) runs of each row.
    """

    pair_account: Ints
    row_pair: Ints
    row_set: Ints
    entries: SparseRows
    run_indptr: Ints
    run_bucket: Ints
    row_runs: Ints

    @cached_property
    def runs(self) -> SparseRows:
        """(N, 2M) sparse entries by run."""
        return SparseRows(self.run_indptr, self.entries.indices, self.entries.data)

    @cached_property
    def chunks(self) -> tuple["RunChunk", ...]:
        """The runs in ranges of rows that, in all columns of the risk arrays, stay in a processor's cache."""
        return tuple(RunChunk.of(self, rows) for rows in _cut(self.row_runs, _CHUNK_RUNS))

    def blocks(self) -> Iterator[tuple[slice, "UnitRows"]]:
        """The rows in ranges of pairs (given beside) whose figures stay in a processor's cache."""
        first = pointers(self.row_pair, len(self.pair_account))
        for pairs in _cut(first, _BLOCK_ROWS):
            yield pairs, self._part(pairs, slice(int(first[pairs.start]), int(first[pairs.stop])))

    def _part(self, pairs: slice, rows: slice) -> "UnitRows":
        start, stop = int(self.row_runs[rows.start]), int(self.row_runs[rows.stop])
        return UnitRows(
            pair_account=self.pair_account[pairs],
            row_pair=self.row_pair[rows] - np.int32(pairs.start),
            row_set=self.row_set[rows],
            entries=self.entries.part(rows),
            run_indptr=self.run_indptr[start : stop + 1],
            run_bucket=self.run_bucket[start:stop],
            row_runs=self.row_runs[rows.start : rows.stop + 1] - np.int32(start),
        )


@dataclass(frozen=True, eq=False)
class RunChunk:
    """The runs of a range of rows.

    Attributes
    ----------
    rows : the range.
    runs : sparse entries by run.
    bucket : expiry bucket of each run.
    row_runs : pointers of the rows into these runs.
    """

    rows: slice
    runs: SparseRows
    bucket: npt.NDArray[np.intp]
    row_runs: Ints

    @classmethod
    def of(cls, unit: UnitRows, rows: slice) -> Self:
        """The runs of a range of a unit's rows."""
        row_runs = unit.row_runs[rows.start : rows.stop + 1]
        runs = slice(int(row_runs[0]), int(row_runs[-1]))
        bucket = unit.run_bucket[runs].astype(np.intp)
        return cls(rows, unit.runs.part(runs), bucket, row_runs - row_runs[0])

    @cached_property
    def sums(self) -> SparseRows:
        """Sums of a row's runs."""
        return group_sums(self.row_runs)


def _cut(indptr: Ints, most: int) -> tuple[slice, ...]:
    """Ranges of groups, each of about `most` entries and at least one group; `indptr` are CSR pointers."""
    groups, entries = len(indptr) - 1, int(indptr[-1])
    if entries <= most:
        return (slice(0, groups),)
    inner = np.searchsorted(indptr, np.arange(most, entries, most), side="right") - 1
    cuts = np.unique(np.concatenate(([0], inner, [groups]))).tolist()
    return tuple(slice(start, stop) for start, stop in pairwise(cuts))


@dataclass(frozen=True, eq=False)
class _Holdings:
    """Quantities of one unit: whose they are, index within the unit, signed quantity."""

    owner: Ints
    local: Ints
    quantity: Floats

    @classmethod
    def select(cls, rows: Positions | Orders, partition: Partition, unit: int) -> Self:
        """Those of one unit, by account."""
        mine = partition.unit_of[rows.instrument] == unit
        return cls(rows.account[mine], partition.local_of[rows.instrument[mine]], rows.quantity[mine])

    def by_pair(self, pair_of: Ints) -> Self:
        """The same by pair; `pair_of` (A,) is the pair of each account."""
        return replace(self, owner=pair_of[self.owner])


def unit_rows(book: Book, partition: Partition, unit: int, delta_sign: Floats, rule: SetRule) -> UnitRows:
    """The rows of unit number `unit`; `delta_sign` (M,) is the sign of each member's coin delta."""
    positions = _Holdings.select(book.positions, partition, unit)
    orders = _Holdings.select(book.orders, partition, unit)
    accounts = _accounts(book, positions, orders)
    pair_of = np.empty(len(book), dtype=np.int32)
    pair_of[accounts] = np.arange(len(accounts), dtype=np.int32)
    positions, orders = positions.by_pair(pair_of), orders.by_pair(pair_of)
    if not len(orders.owner):
        return _rows_without_orders(accounts, positions, partition.units[unit])
    return _rows_with_orders(accounts, positions, orders, partition.units[unit], delta_sign, rule)


def _accounts(book: Book, positions: _Holdings, orders: _Holdings) -> Ints:
    """The accounts of a unit's pairs: those that are evaluated once stand together, and first."""
    held, ordering = np.zeros((2, len(book)), dtype=np.bool_)
    held[positions.owner] = True
    held[orders.owner] = True
    ordering[orders.owner] = True
    ordering[book.spot_orders.account] = True
    plain, others = np.flatnonzero(held & ~ordering), np.flatnonzero(held & ordering)
    return np.concatenate((plain, others)).astype(np.int32)


def _rows_without_orders(accounts: Ints, positions: _Holdings, unit: RiskUnit) -> UnitRows:
    pairs = np.arange(len(accounts), dtype=np.int32)
    entries = _sorted_by_row(positions.owner, positions.local, positions.quantity, unit)
    return _assemble(accounts, pairs, np.zeros_like(pairs), *entries, unit)


def _rows_with_orders(
    accounts: Ints, positions: _Holdings, orders: _Holdings, unit: RiskUnit, delta_sign: Floats, rule: SetRule
) -> UnitRows:
    lean = _leanings(delta_sign[orders.local] * np.sign(orders.quantity))
    present = np.zeros((len(accounts), len(_Lean)), dtype=np.bool_)
    present[orders.owner, lean] = True
    evaluated = rule.table[present @ np.array([1, 2, 4])]
    row_pair, row_set = (axis.astype(np.int32) for axis in np.nonzero(evaluated))
    row_of = np.full(evaluated.shape, -1, dtype=np.int32)
    row_of[row_pair, row_set] = np.arange(len(row_pair))
    return _assemble(accounts, row_pair, row_set, *_entries(positions, orders, lean, row_of, unit), unit)


def is_member(order_set: OrderSet, direction: Floats) -> Bools:
    """Whether orders that would add delta of this sign belong to an order set; shape of `direction`."""
    return np.asarray(_MEMBERS[order_set][_leanings(direction)])


def _leanings(direction: Floats) -> Ints:
    return np.where(
        direction > 0, _Lean.POSITIVE, np.where(direction < 0, _Lean.NEGATIVE, _Lean.ZERO)
    ).astype(np.int32)


def _entries(
    positions: _Holdings, orders: _Holdings, lean: Ints, row_of: Ints, unit: RiskUnit
) -> tuple[Ints, Ints, Floats]:
    """Entries (row, local, quantity) of all rows, sorted, rows of one instrument added up."""
    rows, locals_, quantities = [], [], []
    for order_set in OrderSet:
        for holdings, member in ((positions, True), (orders, _MEMBERS[order_set][lean])):
            row = row_of[holdings.owner, order_set]
            kept = (row >= 0) & member
            rows.append(row[kept])
            locals_.append(holdings.local[kept])
            quantities.append(holdings.quantity[kept])
    row, local, quantity = _sorted_by_row(
        np.concatenate(rows), np.concatenate(locals_), np.concatenate(quantities), unit
    )
    first = np.flatnonzero(_changes(row, local))
    return row[first], local[first], np.add.reduceat(quantity, first) if len(first) else quantity


def _sorted_by_row(row: Ints, local: Ints, quantity: Floats, unit: RiskUnit) -> tuple[Ints, Ints, Floats]:
    """Entries sorted by (row, local), equal ones in their order: mostly a merge of what is sorted already."""
    key = row.astype(np.int64) * len(unit.members) + local
    if (key[1:] >= key[:-1]).all():
        return row, local, quantity
    order = np.argsort(key, kind="stable")
    return row[order], local[order], quantity[order]


def _changes(*keys: Ints) -> Bools:
    """True where any of the equal-length sorted keys differs from the entry before; shape (n,)."""
    changed = np.zeros(len(keys[0]), dtype=np.bool_)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[1:] != key[:-1]
    return changed


def _assemble(
    accounts: Ints, row_pair: Ints, row_set: Ints, row: Ints, local: Ints, quantity: Floats, unit: RiskUnit
) -> UnitRows:
    """Rows out of their entries, which are sorted by (row, local)."""
    rows = len(row_pair)
    indices = (2 * local + (quantity < 0)).astype(np.int32)
    bucket = unit.bucket[local]
    start = np.flatnonzero(_changes(row, bucket)).astype(np.int32)
    return UnitRows(
        pair_account=accounts,
        row_pair=row_pair,
        row_set=row_set,
        entries=SparseRows(pointers(row, rows), indices, np.abs(quantity)),
        run_indptr=np.append(start, np.int32(len(row))).astype(np.int32),
        run_bucket=bucket[start],
        row_runs=pointers(row[start], rows),
    )
