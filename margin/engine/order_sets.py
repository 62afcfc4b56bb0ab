"""Order sets: which of an account's open orders stand beside its positions in one evaluation.

A *pair* is one account in one risk unit. A *row* is one order set of a pair: its positions, alone or with
the orders of positive delta, of negative delta, or with all of them. All rows of a unit form one sparse
matrix over "one contract long" and "one contract short" of each instrument, so that gross charges are
columns like any other.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
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


#: Whether an order that leans so (column) belongs to an order set (row).
_MEMBERS: Final = np.array([[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.bool_)


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
    pair_account : (P,) account of each pair, ascending.
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
    def run_sums(self) -> SparseRows:
        """(R, N) sums of a row's runs."""
        return group_sums(self.row_runs)


@dataclass(frozen=True, eq=False)
class _Holdings:
    """Quantities of one unit: account, index within the unit, signed quantity."""

    account: Ints
    local: Ints
    quantity: Floats


def unit_rows(book: Book, partition: Partition, unit: int, delta_sign: Floats, rule: SetRule) -> UnitRows:
    """The rows of unit number `unit`; `delta_sign` (M,) is the sign of each member's coin delta."""
    positions = _select(
        book.positions.account, book.positions.instrument, book.positions.quantity, partition, unit
    )
    orders = _select(book.orders.account, book.orders.instrument, book.orders.quantity, partition, unit)
    if not len(orders.account):
        return _rows_without_orders(positions, partition.units[unit])
    return _rows_with_orders(positions, orders, partition.units[unit], delta_sign, rule)


def _select(account: Ints, instrument: Ints, quantity: Floats, partition: Partition, unit: int) -> _Holdings:
    mine = partition.unit_of[instrument] == unit
    return _Holdings(account[mine], partition.local_of[instrument[mine]], quantity[mine])


def _rows_without_orders(positions: _Holdings, unit: RiskUnit) -> UnitRows:
    accounts, row = np.unique(positions.account, return_inverse=True)
    pairs = np.arange(len(accounts), dtype=np.int32)
    row_set = np.zeros(len(accounts), dtype=np.int32)
    return _assemble(
        accounts, pairs, row_set, row.astype(np.int32), positions.local, positions.quantity, unit
    )


def _rows_with_orders(
    positions: _Holdings, orders: _Holdings, unit: RiskUnit, delta_sign: Floats, rule: SetRule
) -> UnitRows:
    accounts = np.unique(np.concatenate((positions.account, orders.account)))
    position_pair = np.searchsorted(accounts, positions.account).astype(np.int32)
    order_pair = np.searchsorted(accounts, orders.account).astype(np.int32)
    lean = _leanings(delta_sign[orders.local] * np.sign(orders.quantity))
    present = np.zeros((len(accounts), len(_Lean)), dtype=np.bool_)
    present[order_pair, lean] = True
    evaluated = rule.table[present @ np.array([1, 2, 4])]
    row_pair, row_set = (axis.astype(np.int32) for axis in np.nonzero(evaluated))
    row_of = np.full(evaluated.shape, -1, dtype=np.int32)
    row_of[row_pair, row_set] = np.arange(len(row_pair))
    row, local, quantity = _entries(positions, orders, position_pair, order_pair, lean, row_of)
    return _assemble(accounts, row_pair, row_set, row, local, quantity, unit)


def is_member(order_set: OrderSet, direction: Floats) -> Bools:
    """Whether orders that would add delta of this sign belong to an order set; shape of `direction`."""
    return np.asarray(_MEMBERS[order_set][_leanings(direction)])


def _leanings(direction: Floats) -> Ints:
    return np.where(
        direction > 0, _Lean.POSITIVE, np.where(direction < 0, _Lean.NEGATIVE, _Lean.ZERO)
    ).astype(np.int32)


def _entries(
    positions: _Holdings, orders: _Holdings, position_pair: Ints, order_pair: Ints, lean: Ints, row_of: Ints
) -> tuple[Ints, Ints, Floats]:
    """Entries (row, local, quantity) of all rows, sorted, rows of one instrument added up."""
    rows, locals_, quantities = [], [], []
    for order_set in OrderSet:
        for holdings, pair, member in (
            (positions, position_pair, True),
            (orders, order_pair, _MEMBERS[order_set][lean]),
        ):
            row = row_of[pair, order_set]
            kept = (row >= 0) & member
            rows.append(row[kept])
            locals_.append(holdings.local[kept])
            quantities.append(holdings.quantity[kept])
    row, local, quantity = (np.concatenate(parts) for parts in (rows, locals_, quantities))
    order = np.lexsort((local, row))
    row, local, quantity = row[order], local[order], quantity[order]
    first = np.flatnonzero(_changes(row, local))
    return row[first], local[first], np.add.reduceat(quantity, first) if len(first) else quantity


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
    rows = len(row_pair)
    indices = (2 * local + (quantity < 0)).astype(np.int32)
    bucket = unit.bucket[local]
    start = np.flatnonzero(_changes(row, bucket)).astype(np.int32)
    return UnitRows(
        pair_account=accounts.astype(np.int32),
        row_pair=row_pair,
        row_set=row_set,
        entries=SparseRows(pointers(row, rows), indices, np.abs(quantity)),
        run_indptr=np.append(start, np.int32(len(row))).astype(np.int32),
        run_bucket=bucket[start],
        row_runs=pointers(row[start], rows),
    )
