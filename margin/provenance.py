"""What results are of: hashes over accounts' rows, over a result's inputs, and over what a shard gave."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.report import ENGINE_VERSION
from margin.engine.results import ShardMargin

Records = npt.NDArray[Any]


def account_hashes(book: Book) -> list[str]:
    """A hash over all that margin reads of each account of a shard; the same in any shard, and alone."""
    edges = np.arange(len(book) + 1)
    tables = [
        (records.tobytes(), (np.searchsorted(owner, edges) * records.dtype.itemsize).tolist())
        for owner, records in _tables(book)
    ]
    hashes = []
    for place, (name, mode) in enumerate(zip(book.ids, book.hedge_mode.tolist(), strict=True)):
        parts = [content[bounds[place] : bounds[place + 1]] for content, bounds in tables]
        lengths = ",".join(str(len(part)) for part in parts)
        head = f"{name} {mode} {lengths}\n".encode()
        hashes.append(hashlib.sha256(b"".join((head, *parts))).hexdigest())
    return hashes


def _tables(book: Book) -> Iterator[tuple[npt.NDArray[np.int32], Records]]:
    """The owners of each table's rows, and the rows; currencies by name, as their numbers are the shard's."""
    words = np.array(book.currencies, dtype="S16")
    for table, named in (
        (book.balances, ("currency",)),
        (book.lots, ()),
        (book.orders, ()),
        (book.spot_orders, ("base", "quote")),
        (book.hedge_limits, ("currency",)),
    ):
        columns = {name: getattr(table, name) for name in table.__dataclass_fields__ if name != "account"}
        columns |= {name: words[columns[name]] for name in named}
        kind = np.dtype([(name, column.dtype) for name, column in columns.items()])
        records = np.empty(len(table.account), dtype=kind)
        for name, column in columns.items():
            records[name] = column
        yield table.account, records


def input_hash(*, account_hash: str, ledger_position: int, snapshot: str, parameters: str) -> str:
    """Hash over all a stored result depends on; snapshot and parameters by their hashes."""
    parts = (account_hash, str(ledger_position), snapshot, parameters, ENGINE_VERSION)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def margin_hash(*, shard: ShardMargin, standard: ShardMargin | None, inputs: Sequence[str]) -> str:
    """Hash over every bit of what a shard gave, and of what it was given."""
    digest = hashlib.sha256("\n".join((*shard.ids, *inputs)).encode())
    for found in (shard, standard) if standard is not None else (shard,):
        for array in _arrays(found):
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _arrays(shard: ShardMargin) -> Iterator[npt.NDArray[Any]]:
    yield shard.accounts.status
    yield from (values for _, values in shard.accounts.figures())
    yield np.array(shard.currencies.currencies, dtype="S16")
    yield shard.currencies.present
    # Figures lie by currency or by cell in memory: transposed, they need no copy.
    yield from (values.T for _, values in shard.currencies.figures())
    for unit in shard.units:
        yield np.array([unit.unit], dtype="S32")
        yield unit.account
        yield unit.binding_code
        yield from (values.T for _, values in unit.figures())
