"""The columns of the book, kept in files: only accounts whose ledger has moved are read anew.

A block of accounts has a file with what they hold and the ledger position of each. An account's position
is the id of its newest ledger row, never used again, so that an equal position means equal holdings. The
highest id of the ledger as a whole would not do: rows of a lower one may still be about to commit.

A file is a cache, each host's own: where it is missing, damaged, or of another database, it is made again.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.conf import settings

from accounts.columns import BookColumns, Records, book_columns, standings_read
from pmplatform.common.columns import plain_value
from pmplatform.common.packing import columns_pack, columns_unpack
from pmplatform.common.sealed import sealed_read, sealed_write

Ids = npt.NDArray[np.int64]

#: Accounts, by their ids, that share a file.
BLOCK: Final = 65_536
#: A file is written anew once so many of its accounts have moved on; until then they are read each time.
TAIL: Final = 1_024

#: A restored or promoted server is on another timeline, an emptied or reloaded table has another file.
_DATABASE: Final = """
    SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
        left(pg_walfile_name(pg_current_wal_lsn()), 8),
        (SELECT oid FROM pg_database WHERE datname = current_database()),
        pg_relation_filenode('accounts_account'), pg_relation_filenode('accounts_ledgerentry'),
        current_setting('transaction_isolation'))
"""
_ONE_VIEW: Final = "/repeatable read"
logger = logging.getLogger(__name__)


def kept_columns(*, ids: Sequence[int], codes: Mapping[int, str], size: int) -> Iterator[BookColumns]:
    """As `book_columns`, of `size` accounts after the other; no holding is read that was kept.

    It is to be used inside of `one_view`, which the caller opens.

    Raises
    ------
    RuntimeError
        Outside of `one_view`: positions and holdings might be of different moments.
    """
    database = plain_value(query=_DATABASE, parameters={})
    if not database.endswith(_ONE_VIEW):
        raise RuntimeError("kept columns are read in one view only")
    blocks: dict[int, BookColumns] = {}
    writes: list[Future[None]] = []
    # Files are written while the next rows are read, and cut.
    with ThreadPoolExecutor(max_workers=1) as writer:

        def keep(path: Path, columns: BookColumns) -> None:
            writes.append(writer.submit(_keep, path, database, columns))

        for first in range(0, len(ids), size):
            wanted = np.asarray(ids[first : first + size], dtype=np.int64)
            numbers = np.unique(wanted // BLOCK).tolist()
            edges = np.searchsorted(wanted, [number * BLOCK for number in (*numbers, numbers[-1] + 1)])
            # A block at an edge serves both sides.
            blocks = {n: blocks[n] if n in blocks else _block(n, database, codes, keep) for n in numbers}
            yield _joined(
                [
                    _chosen(blocks[number], wanted[start:stop])
                    for number, (start, stop) in zip(numbers, pairwise(edges.tolist()), strict=True)
                ]
            )
        for write in writes:
            write.result()


def _block(
    number: int, database: str, codes: Mapping[int, str], keep: Callable[[Path, BookColumns], None]
) -> BookColumns:
    """What all accounts of a block hold, as this transaction sees it."""
    path = Path(settings.PM_DATA_DIR) / "book" / f"{number:06d}"
    standing = standings_read(first=number * BLOCK, last=(number + 1) * BLOCK - 1)
    kept = _kept(path, database, codes)
    if kept is None:
        moved = _ids(standing)
        columns = book_columns(ids=moved.tolist(), codes=codes, accounts=standing)
    else:
        moved = _moved(standing, kept.accounts)
        columns = replace(_updated(kept, standing, moved, codes), accounts=standing)
    if kept is None or len(moved) > TAIL:
        keep(path, columns)
    logger.debug("block %d of the book: %d of %d accounts read", number, len(moved), len(standing))
    return columns


def _moved(standing: Records, kept: Records) -> Ids:
    """The accounts that are not kept as they stand now."""
    ids, old = _ids(standing), _ids(kept)
    place = np.minimum(np.searchsorted(old, ids), len(old) - 1)
    same = (old[place] == ids) & (kept["position"][place] == standing["position"])
    moved: Ids = ids[~same]
    return moved


def _updated(kept: BookColumns, standing: Records, moved: Ids, codes: Mapping[int, str]) -> BookColumns:
    """What is kept, with the accounts read anew that have moved, and without those that are gone."""
    if not len(moved) and len(kept.accounts) == len(standing):
        return kept
    stayed = _chosen(kept, np.setdiff1d(_ids(standing), moved, assume_unique=True))
    if not len(moved):
        return stayed
    return _joined([stayed, book_columns(ids=moved.tolist(), codes=codes)])


def _chosen(columns: BookColumns, ids: Ids) -> BookColumns:
    """The rows of some accounts of the columns, by their ids, ascending."""
    held = _ids(columns.accounts)
    if np.array_equal(held, ids):
        return columns
    start, stop = np.searchsorted(held, ids[[0, -1]]) if len(ids) else (0, -1)
    rows = _range if np.array_equal(held[start : stop + 1], ids) else _rows
    return _with_tables(columns, {name: rows(table, ids) for name, table in columns.tables().items()})


def _range(table: Records, ids: Ids) -> Records:
    """The rows of all accounts from the first of the ids to the last."""
    if not len(ids):
        return table[:0]
    owner = _ids(table)
    rows: Records = table[np.searchsorted(owner, ids[0]) : np.searchsorted(owner, ids[-1], side="right")]
    return rows


def _rows(table: Records, ids: Ids) -> Records:
    """The rows of these accounts among others."""
    owner = _ids(table)
    place = np.minimum(np.searchsorted(ids, owner), len(ids) - 1)
    rows: Records = table[ids[place] == owner]
    return rows


def _joined(parts: Sequence[BookColumns]) -> BookColumns:
    """The rows of several columns, by account; each account is in one of them."""
    if len(parts) == 1:
        return parts[0]
    tables = {}
    for name, kind in BookColumns.kinds().items():
        # Rows are moved as they are: field by field takes four times as long.
        rows = [np.ascontiguousarray(getattr(part, name)).view(f"V{kind.itemsize}") for part in parts]
        table = np.concatenate(rows).view(kind)
        owner = _ids(table)
        is_sorted = bool((owner[1:] >= owner[:-1]).all())
        tables[name] = table if is_sorted else table[np.argsort(owner, kind="stable")]
    return _with_tables(parts[0], tables)


def _with_tables(columns: BookColumns, tables: Mapping[str, Records]) -> BookColumns:
    return BookColumns(codes=columns.codes, **tables)


def _ids(table: Records) -> Ids:
    ids: Ids = table["account"].astype(np.int64)
    return ids


# The files


def _keep(path: Path, database: str, columns: BookColumns) -> None:
    """Write what a block holds, under the newest ledger position of it."""
    positions = columns.accounts["position"]
    header = {
        "database": database,
        "kinds": _kinds(),
        "ledger_position": int(positions.max()) if len(positions) else 0,
    }
    sealed_write(path, columns_pack(header, columns.tables()))


def _kept(path: Path, database: str, codes: Mapping[int, str]) -> BookColumns | None:
    """What a file has of this database; None where it is missing, damaged or of another one."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    header, tables = _mapped(path, status.st_ino, status.st_mtime_ns)
    if header.get("database") != database or header["kinds"] != _kinds():
        return None
    columns = BookColumns(codes=codes, **tables)
    return columns if len(columns.accounts) else None


@lru_cache(maxsize=4)
def _mapped(path: Path, inode: int, changed: int) -> tuple[dict[str, Any], dict[str, Records]]:
    """Header and tables of a file, mapped and checked once as long as it stays the same; empty if damaged."""
    content = sealed_read(path)
    if content is None:
        return {}, {}
    header, arrays = columns_unpack(content)
    if header["kinds"] != _kinds():
        return header, {}
    return header, {name: arrays[name].view(kind) for name, kind in BookColumns.kinds().items()}


def _kinds() -> dict[str, str]:
    return {name: repr(kind.descr) for name, kind in BookColumns.kinds().items()}
