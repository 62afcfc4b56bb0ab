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
    content, sizes = _by_account(book)
    ends = np.cumsum(sizes.sum(axis=1)).tolist()
    head = "%s %d " + ",".join(["%d"] * sizes.shape[1]) + "\n"
    heads = map(head.__mod__, zip(book.ids, book.hedge_mode.tolist(), *sizes.T.tolist(), strict=True))
    return [
        hashlib.sha256(head.encode() + content[start:end]).hexdigest()
        for head, start, end in zip(heads, [0, *ends], ends, strict=False)
    ]


def _by_account(book: Book) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The rows of every table, by account, and (A, tables) how many bytes each account has in each."""
    tables = list(_tables(book))
    widths = [records.dtype.itemsize for _, records in tables]
    edges = np.array([np.searchsorted(owner, np.arange(len(book) + 1)) for owner, _ in tables])
    sizes = (np.diff(edges) * np.array(widths)[:, None]).T
    content = np.empty(int(sizes.sum()), dtype=np.uint8)
    starts = (np.cumsum(sizes) - sizes.ravel()).reshape(sizes.shape)
    for table, (width, (owner, records)) in enumerate(zip(widths, tables, strict=True)):
        if len(records):
            # Any byte may be the first of a row, so that NumPy moves whole rows, and not their bytes.
            anywhere = np.ndarray(
                len(content) - width + 1, dtype=f"V{width}", buffer=content.data, strides=(1,)
            )
            first = starts[:, table] - edges[table, :-1] * width
            anywhere[first[owner] + np.arange(len(records)) * width] = records.view(f"V{width}")
    return content.tobytes(), sizes


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


def input_hashes(*, book: Book, ledger_positions: Sequence[int], snapshot: str, parameters: str) -> list[str]:
    """Hashes over all that the stored results of a book depend on; snapshot and parameters by theirs."""
    rest = f"{snapshot}\n{parameters}\n{ENGINE_VERSION}"
    return [
        hashlib.sha256(f"{rows}\n{position}\n{rest}".encode()).hexdigest()
        for rows, position in zip(account_hashes(book), ledger_positions, strict=True)
    ]


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
