"""PURE: rows of a table to account documents, a batch of accounts at a time, with the place of every cell."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from accounts import rules
from pmplatform.common.strict_json import key_path

#: Accounts of one batch: what is held in memory, and loaded at once.
BATCH_ACCOUNTS: Final = 1_000


class Record(StrEnum):
    """What a row of a table says of its account."""

    ACCOUNT = "account"
    BALANCE = "balance"
    POSITION = "position"
    ORDER = "order"
    HEDGE_LIMIT = "hedge_limit"


#: The cells a row of each record has to fill, and those it may.
REQUIRED: Final[Mapping[Record, tuple[str, ...]]] = {
    Record.ACCOUNT: ("methodology",),
    Record.BALANCE: ("symbol", "quantity"),
    Record.POSITION: ("symbol", "quantity", "price"),
    Record.ORDER: ("symbol", "side", "quantity", "price"),
    Record.HEDGE_LIMIT: ("symbol",),
}
OPTIONAL: Final[Mapping[Record, tuple[str, ...]]] = {
    Record.ACCOUNT: ("hedge_mode", "name"),
    Record.HEDGE_LIMIT: ("ratio", "max_amount"),
}
COLUMNS: Final = (
    "account",
    "record",
    "methodology",
    "hedge_mode",
    "name",
    "symbol",
    "side",
    "quantity",
    "price",
    "ratio",
    "max_amount",
)
_RECORDS: Final[frozenset[str]] = frozenset(Record)
_MEMBERS: Final = {
    Record.POSITION: {"symbol": "instrument", "quantity": "quantity", "price": "entry_price"},
    Record.ORDER: {"symbol": "instrument", "side": "side", "quantity": "quantity", "price": "price"},
}
_LISTS: Final = {Record.POSITION: "positions", Record.ORDER: "orders"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line (or number) it stands at, and its cells by column, an empty text for none.

    ``fault`` says why the row as a whole cannot be read, empty when it can.
    """

    line: int
    cells: Mapping[str, str]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong, and in which line and column; an empty column is the whole row."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        place = f"{self.line}: {self.column}" if self.column else f"{self.line}"
        return f"{place}: {self.message}"


@dataclass(slots=True)
class Batch:
    """Account documents as ``accounts_load`` takes them, and where each of their members was read."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)
    places: dict[str, tuple[int, str]] = field(default_factory=dict)

    def located(self, path: str, message: str) -> CellFault:
        """A fault of a document (``[3].positions[0].quantity``) as a fault of the table."""
        while path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["))]
        return CellFault(*self.places[path], message)


def table_batches(rows: Iterable[Row], size: int = BATCH_ACCOUNTS) -> Iterator[Batch]:
    """Read a table whose rows of one account stand together, the row of the account itself first.

    A row with a fault is left out of its document, so that everything else is judged all the same.
    """
    batch, seen = Batch(), set[str]()
    code, is_open = "", False
    for row in rows:
        faults = list(_form_faults(row))
        batch.faults += faults
        if _opens_account(row):
            if len(batch.documents) >= size:
                yield batch
                batch = Batch()
            code, is_open = row.cells["account"], False
            if code in seen:
                batch.faults.append(CellFault(row.line, "account", "is given twice"))
            elif not faults:
                is_open = True
                _account_add(batch, row)
            seen.add(code)
        elif not faults and row.cells["account"] != code:
            batch.faults.append(CellFault(row.line, "account", "is not the account of the rows above"))
        elif not faults and is_open:
            _holding_add(batch, Record(row.cells["record"]), row)
    yield batch


def _opens_account(row: Row) -> bool:
    return row.cells.get("record") == Record.ACCOUNT and bool(row.cells.get("account"))


def _form_faults(row: Row) -> Iterator[CellFault]:
    if row.fault:
        yield CellFault(row.line, "", row.fault)
        return
    if not row.cells.get("account"):
        yield CellFault(row.line, "account", "is missing")
    name = row.cells.get("record", "")
    if name not in _RECORDS:
        yield CellFault(row.line, "record", f"is none of {', '.join(Record)}")
        return
    yield from _cell_faults(row, Record(name))


def _cell_faults(row: Row, record: Record) -> Iterator[CellFault]:
    for column in REQUIRED[record]:
        if not row.cells.get(column):
            yield CellFault(row.line, column, "is missing")
    known = {"account", "record", *REQUIRED[record], *OPTIONAL.get(record, ())}
    for column, cell in row.cells.items():
        if cell and column not in known:
            yield CellFault(row.line, column, f"does not belong to a row of {record}")


def _account_add(batch: Batch, row: Row) -> None:
    path = f"[{len(batch.documents)}]"
    batch.documents.append(
        {
            "id": row.cells["account"],
            "methodology": row.cells["methodology"],
            "hedge_mode": row.cells.get("hedge_mode") or None,
            "name": row.cells.get("name") or None,
            "balances": {},
            "hedge_limits": {},
            "positions": [],
            "orders": [],
        }
    )
    batch.places[path] = (row.line, "")
    for member, column in (("id", "account"), ("methodology", "methodology"), ("hedge_mode", "hedge_mode")):
        batch.places[key_path(path, member)] = (row.line, column)


def _holding_add(batch: Batch, record: Record, row: Row) -> None:
    document, path = batch.documents[-1], f"[{len(batch.documents) - 1}]"
    if record in _LISTS:
        _listed_add(batch, document[_LISTS[record]], key_path(path, _LISTS[record]), record, row)
        return
    name = "balances" if record is Record.BALANCE else "hedge_limits"
    if faults := list(_symbol_faults(row, document[name])):
        batch.faults += faults
        return
    symbol = row.cells["symbol"]
    place = key_path(key_path(path, name), symbol)
    if record is Record.BALANCE:
        document[name][symbol] = row.cells["quantity"]
        batch.places[place] = (row.line, "quantity")
        return
    limits = OPTIONAL[record]
    document[name][symbol] = {column: row.cells[column] for column in limits if row.cells.get(column)}
    batch.places |= {key_path(place, column): (row.line, column) for column in limits}


def _listed_add(batch: Batch, rows: list[dict[str, str]], path: str, record: Record, row: Row) -> None:
    members, place = _MEMBERS[record], f"{path}[{len(rows)}]"
    rows.append({member: row.cells[column] for column, member in members.items()})
    batch.places |= {key_path(place, member): (row.line, column) for column, member in members.items()}


def _symbol_faults(row: Row, known: Mapping[str, object]) -> Iterator[CellFault]:
    symbol = row.cells["symbol"]
    if symbol in known:
        yield CellFault(row.line, "symbol", "is given twice")
    for fault in rules.currency_faults(symbol, "symbol"):
        yield CellFault(row.line, fault.path, fault.message)
