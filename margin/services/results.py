"""Writing the results of a shard: one COPY per table into append-only rows."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import numpy as np
from django.db import connection

from margin.assembly import equity, requirement
from margin.codec import Provenance
from margin.engine.hashing import canonical_json, sha256_of
from margin.engine.parameters.library import Parameters
from margin.engine.report import ENGINE_VERSION, ReportHeader, render
from margin.engine.results import STATUSES, ShardMargin
from margin.engine.simulation import iso
from margin.models import MarginRun, MarketSnapshot

RESULT_COLUMNS: Final = (
    "run_id",
    "account_id",
    "snapshot_id",
    "ledger_position",
    "status",
    "net_equity",
    "adjusted_equity",
    "mmr",
    "imr",
    "margin_ratio",
    "leverage",
    "standard_mmr",
    "standard_imr",
    "standard_ratio",
    "input_sha256",
    "report",
)
UNIT_COLUMNS: Final = (
    "run_id",
    "account_id",
    "unit",
    "binding",
    "mmr",
    "imr",
    "spot_in_use",
    "delta",
    "cash_delta",
    "components",
    "price_moves",
    "pnl",
)


def results_write(
    *,
    run: MarginRun,
    parameters: Parameters,
    shard: ShardMargin,
    standard: ShardMargin | None,
    provenance: Provenance,
) -> None:
    """Append the results of every account of a shard, whose account names are database ids.

    `standard` is the same shard margined position by position, where that is known; `provenance` says what
    the accounts were made of.
    """
    _copy(
        f"COPY margin_marginresult ({', '.join(RESULT_COLUMNS)}) FROM STDIN",
        result_rows(run, parameters, shard, standard, provenance),
    )
    _copy(f"COPY margin_unitresult ({', '.join(UNIT_COLUMNS)}) FROM STDIN", unit_rows(run, shard))


def _copy(statement: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def input_hash(
    *, account_hash: str, ledger_position: int, snapshot: MarketSnapshot, parameters: Parameters
) -> str:
    """Hash over all a stored result depends on."""
    return sha256_of(
        [account_hash, ledger_position, snapshot.sha256, parameters.header.sha256, ENGINE_VERSION]
    )


def result_rows(
    run: MarginRun,
    parameters: Parameters,
    shard: ShardMargin,
    standard: ShardMargin | None,
    provenance: Provenance,
) -> Iterator[tuple[Any, ...]]:
    """The row of each account, in `RESULT_COLUMNS`."""
    figures = shard.accounts
    for i, account in enumerate(shard.ids):
        position = provenance.positions[i]
        inputs = input_hash(
            account_hash=provenance.hashes[i],
            ledger_position=position,
            snapshot=run.snapshot,
            parameters=parameters,
        )
        header = ReportHeader(
            parameters.header.methodology, parameters.header, iso(run.snapshot.as_of), inputs
        )
        yield (
            run.pk,
            int(account),
            run.snapshot_id,
            position,
            str(STATUSES[int(figures.status[i])]),
            equity(figures.net_equity[i]),
            equity(figures.adjusted_equity[i]),
            requirement(figures.mmr[i]),
            requirement(figures.imr[i]),
            _nullable(figures.margin_ratio[i]),
            _nullable(figures.leverage[i]),
            *_beside(standard, i),
            inputs,
            canonical_json(render(shard, i, header)),
        )


def _beside(
    standard: ShardMargin | None, account: int
) -> tuple[Decimal | None, Decimal | None, float | None]:
    """MMR, IMR and ratio of an account under `standard`."""
    if standard is None:
        return None, None, None
    figures = standard.accounts
    return (
        requirement(figures.mmr[account]),
        requirement(figures.imr[account]),
        _nullable(figures.margin_ratio[account]),
    )


def _nullable(value: np.floating[Any]) -> float | None:
    return None if np.isnan(value) else float(value)


def unit_rows(run: MarginRun, shard: ShardMargin) -> Iterator[tuple[Any, ...]]:
    """The row of each risk unit of each account, in `UNIT_COLUMNS`; components as JSON text."""
    for unit in shard.units:
        moves = None if unit.price_moves is None else unit.price_moves.tolist()
        for row, account in enumerate(unit.account):
            components = {name: float(values[row]) for name, values in unit.components.items()}
            yield (
                run.pk,
                int(shard.ids[account]),
                unit.unit,
                unit.binding[row],
                requirement(unit.mmr[row]),
                requirement(unit.imr[row]),
                float(unit.spot_in_use[row]),
                float(unit.delta[row]),
                float(unit.cash_delta[row]),
                canonical_json(components).decode(),
                moves,
                None if unit.pnl is None else unit.pnl[row].ravel().tolist(),
            )
