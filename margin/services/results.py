"""Writing the results of a shard: columns into append-only rows, by one COPY for each table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.assembly import equity, requirement
from margin.engine.book import Book
from margin.engine.hashing import canonical_json
from margin.engine.order_sets import BINDING_NAMES
from margin.engine.parameters.library import Parameters
from margin.engine.report import ReportHeader, renders
from margin.engine.results import STATUSES, ShardMargin, Status, UnitFigures
from margin.engine.simulation import iso
from margin.models import MarginReport, MarginResult, MarginRunPart, UnitResult
from margin.provenance import input_hashes, margin_hash
from pmplatform.common.bulk import rows_copy
from pmplatform.common.columns import (
    Field,
    Rounding,
    absent,
    bigints,
    columns_copy,
    floats,
    money,
    same,
    texts,
)

Floats = npt.NDArray[np.float64]

#: Money at rest is rounded against the account.
_EQUITIES: Final = ("net_equity", "adjusted_equity")
_REQUIREMENTS: Final = ("mmr", "imr")
_RATES: Final = ("margin_ratio", "imr_rate", "leverage")
_EXPOSURES: Final = ("spot_in_use", "delta", "cash_delta")
_OF_UNITS: Final = ("account", "binding_code", *_REQUIREMENTS, *_EXPOSURES)
#: The figures of a risk unit at rest.
UNIT_FIGURES: Final = ("binding", *_REQUIREMENTS, *_EXPOSURES)


@dataclass(frozen=True, eq=False)
class ShardResults:
    """A shard margined, ready to be written.

    Attributes
    ----------
    standard : the same accounts margined position by position, where that is known.
    positions : (A,) ledger position of each account.
    inputs : (A,) hash over all that each result depends on.
    reports : rendered at once for whoever is not `normal`, by number; the others' at their first reading.
    sha256 : over all figures, bit by bit.
    """

    part: MarginRunPart
    shard: ShardMargin
    standard: ShardMargin | None
    positions: Sequence[int]
    inputs: Sequence[str]
    reports: dict[int, bytes]
    sha256: str


def shard_results(
    *,
    part: MarginRunPart,
    parameters: Parameters,
    book: Book,
    shard: ShardMargin,
    standard: ShardMargin | None,
    positions: Sequence[int],
) -> ShardResults:
    """All that is stored of a shard; its account names are database ids. Nothing is written yet."""
    inputs = input_hashes(
        book=book,
        ledger_positions=positions,
        snapshot=part.run.snapshot.sha256,
        parameters=parameters.header.sha256,
    )
    pressing = np.flatnonzero(shard.accounts.status != STATUSES.index(Status.NORMAL)).tolist()
    reports = report_contents(
        part=part,
        parameters=parameters,
        shard=shard,
        accounts=pressing,
        inputs=[inputs[account] for account in pressing],
    )
    return ShardResults(
        part=part,
        shard=shard,
        standard=standard,
        positions=positions,
        inputs=inputs,
        reports=dict(zip(pressing, reports, strict=True)),
        sha256=margin_hash(shard=shard, standard=standard, inputs=inputs),
    )


def report_contents(
    *,
    part: MarginRunPart,
    parameters: Parameters,
    shard: ShardMargin,
    accounts: Sequence[int],
    inputs: Sequence[str],
) -> list[bytes]:
    """The bytes of the margin reports of some accounts, by their numbers in the shard, ascending."""
    as_of = iso(part.run.snapshot.as_of)
    header = ReportHeader(parameters.header.methodology, parameters.header, as_of, "")
    return [canonical_json(report) for report in renders(shard, accounts, header, inputs)]


def results_write(*, results: ShardResults) -> None:
    """Append the results of every account of a shard, inside the caller's transaction."""
    columns_copy(table=MarginResult._meta.db_table, columns=_result_columns(results))
    if results.shard.units:
        columns_copy(table=UnitResult._meta.db_table, columns=_unit_columns(results))
    run, ids = results.part.run_id, results.shard.ids
    rows_copy(
        table=MarginReport._meta.db_table,
        columns=("run_id", "account_id", "content"),
        types=("int8", "int8", "bytea"),
        rows=((run, int(ids[account]), content) for account, content in results.reports.items()),
    )


def _result_columns(results: ShardResults) -> dict[str, Field]:
    part, shard, count = results.part, results.shard, len(results.shard.ids)
    figures = shard.accounts
    return {
        "run_id": same(part.run_id, count),
        "account_id": bigints(_account_ids(shard)),
        "part_id": same(part.pk, count),
        "snapshot_id": same(part.run.snapshot_id, count),
        "ledger_position": bigints(np.asarray(results.positions, dtype=np.int64)),
        "status": texts(np.array(STATUSES, dtype="S12")[figures.status]),
        **{name: money(getattr(figures, name), Rounding.DOWN) for name in _EQUITIES},
        **{name: money(getattr(figures, name), Rounding.UP) for name in _REQUIREMENTS},
        **{name: floats(getattr(figures, name)) for name in _RATES},
        **_standard_columns(results.standard, count),
        "input_sha256": texts(np.array(results.inputs, dtype="S64")),
    }


def _standard_columns(standard: ShardMargin | None, count: int) -> dict[str, Field]:
    if standard is None:
        return {f"standard_{name}": absent(count) for name in ("mmr", "imr", "ratio")}
    figures = standard.accounts
    return {
        "standard_mmr": money(figures.mmr, Rounding.UP),
        "standard_imr": money(figures.imr, Rounding.UP),
        "standard_ratio": floats(figures.margin_ratio),
    }


def _unit_columns(results: ShardResults) -> dict[str, Field]:
    """All units together: a statement costs the look for its accounts, however few rows it has."""
    units = results.shard.units
    figures = {name: np.concatenate([getattr(unit, name) for unit in units]) for name in _OF_UNITS}
    sizes = [len(unit.account) for unit in units]
    return {
        "run_id": same(results.part.run_id, sum(sizes)),
        "account_id": bigints(_account_ids(results.shard)[figures["account"]]),
        "unit": texts(np.array([unit.unit for unit in units], dtype="S32").repeat(sizes)),
        "binding": texts(np.array(BINDING_NAMES, dtype="S40")[figures["binding_code"]]),
        **{name: money(figures[name], Rounding.UP) for name in _REQUIREMENTS},
        **{name: floats(figures[name]) for name in _EXPOSURES},
    }


def _account_ids(shard: ShardMargin) -> npt.NDArray[np.int64]:
    return np.array(shard.ids, dtype=np.int64)


# The rows again, one at a time, to compare them with what is stored


def result_row(results: ShardResults, account: int) -> dict[str, Any]:
    """The stored figures of one account by column, as Django reads them."""
    figures, standard = results.shard.accounts, results.standard
    return {
        "ledger_position": results.positions[account],
        "status": str(STATUSES[int(figures.status[account])]),
        **{name: equity(getattr(figures, name)[account]) for name in _EQUITIES},
        **{name: requirement(getattr(figures, name)[account]) for name in _REQUIREMENTS},
        **{name: _nullable(getattr(figures, name)[account]) for name in _RATES},
        "standard_mmr": None if standard is None else requirement(standard.accounts.mmr[account]),
        "standard_imr": None if standard is None else requirement(standard.accounts.imr[account]),
        "standard_ratio": None if standard is None else _nullable(standard.accounts.margin_ratio[account]),
        "input_sha256": results.inputs[account],
    }


def unit_row(unit: UnitFigures, row: int) -> dict[str, Any]:
    """The stored figures of one risk unit of an account, likewise."""
    return {
        "binding": unit.binding[row],
        "mmr": requirement(unit.mmr[row]),
        "imr": requirement(unit.imr[row]),
        **{name: float(getattr(unit, name)[row]) for name in _EXPOSURES},
    }


def _nullable(value: np.floating[Any]) -> float | None:
    return None if np.isnan(value) else float(value)
