"""Margin at any past instant, and stored results computed again: from ledger, snapshot and parameters.

What is kept to be fast, the shards and the risk arrays of the account's methodology, is not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from margin.provenance import input_hashes
from margin.services.cutting import parameters_lacking
from margin.services.results import (
    UNIT_FIGURES,
    ShardResults,
    report_contents,
    result_row,
    shard_results,
    unit_row,
)
from margin.services.standard import standard_beside
from margin.stored_reports import report_kept
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
    book, shard = _margined(account, snapshot, parameters)
    [inputs] = input_hashes(
        book=book,
        ledger_positions=[account.ledger_position],
        snapshot=snapshot.sha256,
        parameters=parameters.header.sha256,
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
    computed = _computed(result)
    row = result_row(computed, 0)
    stored = {name: getattr(result, name) for name in row}
    units = {
        unit.unit: {name: getattr(unit, name) for name in UNIT_FIGURES}
        for unit in selectors.unit_results(result)
    }
    return [
        *_compared("", stored, row),
        *_report_differences(report_kept(result), computed.reports[0]),
        *_compared("risk_units", units, {unit.unit: unit_row(unit, 0) for unit in computed.shard.units}),
    ]


def _computed(result: MarginResult) -> ShardResults:
    """The result again, out of the ledger."""
    part = selectors.run_part(result.part_id)
    account = account_input_at(account_id=result.account_id, position=result.ledger_position)
    parameters = selectors.parameters_read(part.parameters_id)
    book, shard = _margined(account, result.run.snapshot, parameters)
    standard = standard_beside(run=result.run, version=part.parameters_id, book=book, shard=shard)
    found = shard_results(
        part=part,
        parameters=parameters,
        book=book,
        shard=shard,
        standard=standard,
        positions=[account.ledger_position],
    )
    [report] = report_contents(
        part=part, parameters=parameters, shard=shard, accounts=[0], inputs=found.inputs
    )
    return replace(found, reports={0: report})


def _report_differences(kept: bytes | None, computed: bytes) -> Iterator[Difference]:
    """A report that nobody has read is not stored."""
    if kept is not None:
        yield from _compared("", _opened(kept), _opened(computed))


def _opened(content: bytes) -> dict[str, Any]:
    """The hash of a report's bytes, and what is in it, so that differences are named."""
    return {"report_sha256": content_key(content), "report": msgspec.json.decode(content)}


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
