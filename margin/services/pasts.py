"""Margin at any past instant, and stored results computed again: from ledger, snapshot and parameters.

What is kept to be fast, the shards and the risk arrays of the account's methodology, is not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from accounts.pasts import account_past, ledger_position_at
from margin import selectors
from margin.assembly import AccountInput, account_faults, shard_book
from margin.codec import content_key
from margin.engine.book import Book
from margin.engine.errors import NonFiniteError
from margin.engine.hashing import canonical_json
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import margin_book
from margin.engine.report import ENGINE_VERSION, ReportHeader, render
from margin.engine.results import ShardMargin
from margin.engine.simulation import iso
from margin.models import MarginResult, MarketSnapshot
from margin.services.results import RESULT_COLUMNS, UNIT_COLUMNS, input_hash, result_rows, unit_rows
from margin.services.runs import parameters_lacking, provenance
from margin.services.standard import standard_beside
from pmplatform.common.errors import NotFound, Refused

#: Stands for what one side lacks.
ABSENT: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a stored result that its inputs do not give."""

    path: str
    stored: Any
    computed: Any

    def __str__(self) -> str:
        return f"{self.path}: stored {self.stored}, computed {self.computed}"


def margin_as_of(*, account_id: int, at: datetime) -> bytes:
    """The margin report of an account as it was, at the snapshot newest then, by the version in force then.

    Raises
    ------
    NotFound
        When there was no such account, or no snapshot.
    Refused
        With every reason why the account could not be margined then.
    """
    snapshot = selectors.snapshot_latest_at(at)
    account = account_input_at(
        account_id=account_id, position=ledger_position_at(account_id=account_id, at=at)
    )
    if snapshot is None:
        raise NotFound("There was no market snapshot then.")
    version = selectors.parameters_in_force(account.methodology, snapshot.as_of)
    reason = parameters_lacking(account.methodology, version)
    if version is None or reason:
        raise Refused([reason])
    parameters = selectors.parameters_read(version.pk)
    _, shard = _margined(account, snapshot, parameters)
    inputs = input_hash(
        account_hash=account.content_hash(),
        ledger_position=account.ledger_position,
        snapshot=snapshot,
        parameters=parameters,
    )
    header = ReportHeader(account.methodology, parameters.header, iso(snapshot.as_of), inputs)
    return canonical_json(render(shard, 0, header))


def account_input_at(*, account_id: int, position: int) -> AccountInput:
    """What margin reads of an account, at a position of the ledger; NotFound before it was opened."""
    past = account_past(account_id=account_id, position=position)
    if past is None:
        raise NotFound("There was no such account then.")
    return AccountInput(
        id=account_id,
        code=past.code,
        methodology=past.margin_methodology,
        hedge_mode=past.hedge_mode,
        ledger_position=position,
        balances=past.balances,
        positions=past.positions,
        orders=past.orders,
        hedge_limits=past.hedge_limits,
    )


def _margined(
    account: AccountInput, snapshot: MarketSnapshot, parameters: Parameters
) -> tuple[Book, ShardMargin]:
    market, rows = selectors.snapshot_market(snapshot.pk), account.to_rows()
    if faults := account_faults(rows, market, parameters):
        raise Refused(["The account cannot be margined.", *map(str, faults)])
    book = shard_book([rows], market)
    try:
        return book, margin_book(book, market.to_market(), parameters)
    except NonFiniteError as error:
        raise Refused([str(error)]) from error


def result_differences(*, result_id: int) -> list[Difference]:
    """Compute a stored result again, and compare report, figures and risk units: empty where all are equal.

    Raises
    ------
    NotFound
        Without such a result.
    Refused
        When another engine version made it, or its inputs cannot be margined at all.
    """
    result = selectors.result_get(result_id)
    if result.run.engine != ENGINE_VERSION:
        raise Refused([f"Engine {result.run.engine} made the result; this is {ENGINE_VERSION}."])
    version = selectors.parameters_of(selectors.report_of(result))
    account = account_input_at(account_id=result.account_id, position=result.ledger_position)
    parameters = selectors.parameters_read(version.pk)
    book, shard = _margined(account, result.run.snapshot, parameters)
    standard = standard_beside(run=result.run, version=version.pk, book=book, shard=shard)
    [row] = result_rows(result.run, parameters, shard, standard, provenance([account]))
    computed = dict(zip(RESULT_COLUMNS, row, strict=True))
    stored = {name: getattr(result, name) for name in RESULT_COLUMNS}
    units = {
        unit.unit: {name: getattr(unit, name) for name in UNIT_COLUMNS}
        for unit in selectors.unit_results(result)
    }
    return [
        *_compared("", _opened(stored), _opened(computed)),
        *_compared("risk_units", units, dict(_units(result, shard))),
    ]


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the hash of its report's bytes, and what is in it, so that differences are named."""
    content = bytes(row["report"])
    return {**row, "report_sha256": content_key(content), "report": msgspec.json.decode(content)}


def _units(result: MarginResult, shard: ShardMargin) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in unit_rows(result.run, shard):
        unit = dict(zip(UNIT_COLUMNS, row, strict=True))
        yield unit["unit"], {**unit, "components": msgspec.json.decode(unit["components"])}


def _compared(path: str, stored: Any, computed: Any) -> Iterator[Difference]:
    if isinstance(stored, dict) and isinstance(computed, dict):
        for name in sorted(stored.keys() | computed.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _compared(inner, stored.get(name, ABSENT), computed.get(name, ABSENT))
    elif isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        for place, (mine, its) in enumerate(zip(stored, computed, strict=True)):
            yield from _compared(f"{path}[{place}]", mine, its)
    elif stored != computed:
        yield Difference(path, stored, computed)
