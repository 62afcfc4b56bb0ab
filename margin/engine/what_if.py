"""What if: a book before and after changes to what it holds and to the market (spec 60, section 1)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from margin.engine.documents.account import AccountRows
from margin.engine.documents.book import (
    BookDocument,
    add_exactly,
    assemble,
    check_account,
    named_instruments,
    read_book,
)
from margin.engine.documents.changes import Changes, read_changes
from margin.engine.errors import DocumentError, Fault
from margin.engine.hashing import sha256_of
from margin.engine.parameters.library import Library
from margin.engine.shifts import shifted
from margin.engine.simulation import report_of

_PATH: Final = "changes"
_REQUIREMENTS: Final = ("mmr", "imr")


def what_if(document: Any, changes: Any, library: Library) -> dict[str, Any]:
    """`what_if_of` a book document; faults of the book itself are named as in a simulation."""
    return what_if_of(read_book(document, library), changes, sha256_of(document))


def what_if_of(book: BookDocument, changes: Any, input_sha256: str) -> dict[str, Any]:
    """The reports of a checked book before and after changes, and what these cost or save.

    Both are margined by the book's parameter version, also where the changes let time pass.

    Raises
    ------
    DocumentError
        With every fault: of the changes at `changes.`, of the market where it does not price them.
    """
    changed = changed_book(book, read_changes(changes, book.market_rows, _PATH))
    before = report_of(book, input_sha256)
    after = report_of(changed, sha256_of({"book": input_sha256, _PATH: changes}))
    return {"before": before, "after": after, "difference": difference(before, after)}


def changed_book(book: BookDocument, changes: Changes) -> BookDocument:
    """The book after its changes.

    Raises
    ------
    DocumentError
        Where the changed holdings need a price that the market lacks, exceed a bound, are not covered by
        the parameters, or expire while time passes.
    """
    account = _changed_account(book.account_rows, changes)
    rows = replace(book.market_rows, fx={**book.market_rows.fx, **changes.shifts.fx})
    check_account(account, rows)
    _check_alive(account, book, changes.shifts.seconds)
    return assemble(book.parameters, rows, account, shifted(book.market, changes.shifts))


def _changed_account(account: AccountRows, changes: Changes) -> AccountRows:
    balances = dict(account.balances)
    for currency, amount in changes.balances.items():
        balances[currency] = add_exactly(balances.get(currency, Decimal(0)), amount)
    return replace(
        account,
        balances=balances,
        positions=(*account.positions, *changes.positions),
        orders=(*account.orders, *changes.orders),
    )


def _check_alive(account: AccountRows, book: BookDocument, seconds: float) -> None:
    moment = book.as_of + timedelta(seconds=seconds)
    expired = {
        row.id
        for row in named_instruments(account, book.market_rows)
        if row.expiry is not None and row.expiry <= moment
    }
    if expired:
        message = f"the book holds what expires by then: {', '.join(sorted(expired))}"
        raise DocumentError([Fault(f"{_PATH}.shifts.seconds", message)])


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """After less before: the account's figures (null where either is), and the requirements of each unit."""
    return {
        "account": {
            name: _less(value, after["account"][name])
            for name, value in before["account"].items()
            if name not in ("id", "status")
        },
        "risk_units": _unit_differences(before["risk_units"], after["risk_units"]),
    }


def _less(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _unit_differences(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By unit name; a unit that only one report lists requires nothing in the other."""
    nothing = dict.fromkeys(_REQUIREMENTS, 0.0)
    old, new = ({unit["unit"]: unit for unit in units} for units in (before, after))
    return [
        {"unit": name}
        | {
            figure: new.get(name, nothing)[figure] - old.get(name, nothing)[figure]
            for figure in _REQUIREMENTS
        }
        for name in sorted({*old, *new})
    ]
