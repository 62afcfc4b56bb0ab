"""Cutting the book into shards: read as columns, judged, and stored by content."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from accounts import selectors as accounts
from accounts.kept import kept_columns
from margin import selectors
from margin.assembly import account_faults
from margin.codec import content_key, encode_book
from margin.engine.methodologies.registry import OFFERED
from margin.models import MarketSnapshot, ParameterVersion
from margin.services.blobs import blob_keep, blob_store
from margin.services.margining import Margining, margining_by
from margin.services.reading import account_inputs
from margin.shards import Columns, cuts

#: A shard ends with so many accounts, or about so many positions: work enough that a task's overhead does
#: not show, and little enough that a change waits for no shard long.
SHARD_ACCOUNTS: Final = 8_192
SHARD_POSITIONS: Final = 100_000
#: Accounts read at a time, which bounds the memory of a cut.
READ_ACCOUNTS: Final = 65_536


@dataclass(frozen=True)
class Cut:
    """One shard of the book and the names of the risk units it holds."""

    version: ParameterVersion
    name: str
    key: str
    accounts: int
    units: frozenset[str]


@dataclass(frozen=True)
class BookCut:
    """The book as one transaction shows it: stored shards, and why an account is left out, by its id."""

    shards: list[Cut] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


_Making = Future[tuple[Cut, bytes]]


def book_cut(*, snapshot: MarketSnapshot) -> BookCut:
    """Store the book as shards by methodology, each under the version in force."""
    whole = BookCut()
    for name, ids in accounts.account_ids_by_methodology().items():
        version = selectors.parameters_in_force(name, snapshot.as_of)
        reason = parameters_lacking(name, version)
        if version is None or reason:
            whole.blocked.update(dict.fromkeys(map(str, ids), reason))
        else:
            accounts_cut(whole, version=version, ids=ids, snapshot=snapshot)
    return whole


def parameters_lacking(methodology: str, version: ParameterVersion | int | None) -> str:
    """Why nobody can be margined by a methodology with this version in force, or with none."""
    if version is None:
        return f"{methodology} has no parameters in force"
    return "" if methodology in OFFERED else f"{methodology} is not offered yet"


def accounts_cut(
    cut: BookCut, *, version: ParameterVersion, ids: Sequence[int], snapshot: MarketSnapshot
) -> None:
    """Store these accounts as shards to be margined by a version, and add them to a cut of the book."""
    desk = margining_by(snapshot=snapshot.pk, version=version.pk)
    codes = accounts.instrument_codes()
    made: list[_Making] = []
    number = 0
    # Shards are made, which takes no statement, while the server reads the next accounts.
    with ThreadPoolExecutor(max_workers=1) as maker:
        for source in kept_columns(ids=ids, codes=codes, size=READ_ACCOUNTS):
            columns = Columns.of(source, version.methodology, desk.rows, desk.market)
            taken = _taken(cut, columns, desk)
            sizes = columns.positions_each()
            before, made = made, []
            for start, stop in cuts(sizes, accounts=SHARD_ACCOUNTS, positions=SHARD_POSITIONS):
                if taken[start:stop].any():
                    name = f"{version.methodology}/{number:04d}"
                    made.append(maker.submit(_made, columns, start, taken[start:stop], desk, version, name))
                    number += 1
            _store(cut, before)
        _store(cut, made)


def _taken(cut: BookCut, columns: Columns, desk: Margining) -> npt.NDArray[np.bool_]:
    """(A,) who can be margined; the reasons of all others go to the cut."""
    taken = ~columns.doubtful(desk.rows, desk.parameters)
    doubtful = np.flatnonzero(~taken)
    if len(doubtful):
        inputs = account_inputs(columns.accounts["account"][doubtful].astype(np.int64).tolist())
        for place, account in zip(doubtful.tolist(), inputs, strict=True):
            faults = account_faults(account.to_rows(), desk.rows, desk.parameters)
            taken[place] = not faults
            if faults:
                cut.blocked[str(account.id)] = "; ".join(map(str, faults))
    return taken


def _made(
    columns: Columns,
    start: int,
    taken: npt.NDArray[np.bool_],
    desk: Margining,
    version: ParameterVersion,
    name: str,
) -> tuple[Cut, bytes]:
    """A shard of those accounts from `start` on that are `taken`, kept by this host, and its bytes."""
    shard = columns.part(start, taken)
    book = shard.book()
    content = encode_book(book, shard.ledger_positions.tolist())
    key = content_key(content)
    blob_keep(key=key, content=content)
    units = frozenset(desk.units.units[number].name for number in desk.units.held_by(book))
    return Cut(version, name, key, len(book), units), content


def _store(cut: BookCut, made: Sequence[_Making]) -> None:
    """Store shards in the database, and add them to a cut of the book."""
    for making in made:
        shard, content = making.result()
        blob_store(key=shard.key, content=content)
        cut.shards.append(shard)
