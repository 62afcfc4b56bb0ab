"""The margin report document of one account out of a shard's columns (spec 01, section 7)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.order_sets import BINDING_NAMES
from margin.engine.parameters.common import Header
from margin.engine.results import NULLABLE, STATUSES, UNIT_SCALARS, CurrencyFigures, ShardMargin, UnitFigures
from margin.engine.scenarios import VOL_SHIFTS

#: Version of the engine: it changes whenever a figure may change.
ENGINE_VERSION: Final = "1.0.0"

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

_STATUS: Final = tuple(map(str, STATUSES))


@dataclass(frozen=True)
class ReportHeader:
    """What a report was computed from."""

    methodology: str
    parameters: Header
    as_of: str
    input_sha256: str


def render(shard: ShardMargin, account: int, header: ReportHeader) -> dict[str, Any]:
    """The report of account number `account`; plain Python values, ready for JSON."""
    [report] = renders(shard, [account], header, [header.input_sha256])
    return report


def renders(
    shard: ShardMargin, accounts: Sequence[int], header: ReportHeader, inputs: Sequence[str]
) -> list[dict[str, Any]]:
    """The reports of some accounts, ascending, each with the hash of its own inputs."""
    chosen = np.asarray(accounts, dtype=np.intp)
    figures, currencies = _accounts(shard, chosen), _currencies(shard.currencies, chosen)
    return [
        {
            "methodology": header.methodology,
            "parameters": {"version": header.parameters.version, "sha256": header.parameters.sha256},
            "engine": ENGINE_VERSION,
            "as_of": header.as_of,
            "input_sha256": input_sha256,
            "account": account,
            "currencies": held,
            "risk_units": units,
        }
        for input_sha256, account, held, units in zip(
            inputs, figures, currencies, _units(shard, chosen), strict=True
        )
    ]


def _plain(values: Floats) -> list[Any]:
    """Python floats, negative zero made plain zero."""
    plain: list[Any] = (values + 0.0).tolist()
    return plain


def _nullable(values: Floats) -> list[Any]:
    return [None if value != value else value for value in _plain(values)]


def _rows(columns: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Equally long columns by name, row by row."""
    names = tuple(columns)
    return (dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _accounts(shard: ShardMargin, chosen: Places) -> Iterator[dict[str, Any]]:
    figures = {
        name: (_nullable if name in NULLABLE else _plain)(values[chosen])
        for name, values in shard.accounts.figures()
    }
    ids = [shard.ids[account] for account in chosen.tolist()]
    return _rows({"id": ids, **figures, "status": [_STATUS[code] for code in shard.accounts.status[chosen]]})


def _currencies(figures: CurrencyFigures, chosen: Places) -> list[list[dict[str, Any]]]:
    """The currencies of each account."""
    place, column = np.nonzero(figures.present[chosen])
    row = chosen[place]
    columns: dict[str, Sequence[Any]] = {"currency": [figures.currencies[i] for i in column.tolist()]}
    columns |= {name: _plain(values[row, column]) for name, values in figures.figures()}
    held: list[list[dict[str, Any]]] = [[] for _ in chosen]
    for i, report in zip(place.tolist(), _rows(columns), strict=True):
        held[i].append(report)
    return held


def _units(shard: ShardMargin, chosen: Places) -> list[list[dict[str, Any]]]:
    """The risk units of each account."""
    held: list[list[dict[str, Any]]] = [[] for _ in chosen]
    place = np.full(len(shard.ids), -1)
    place[chosen] = np.arange(len(chosen))
    for unit in shard.units:
        of = place[unit.account]
        rows = np.flatnonzero(of >= 0)
        for i, report in zip(of[rows].tolist(), _unit(unit, rows), strict=True):
            held[i].append(report)
    return held


def _unit(unit: UnitFigures, rows: Places) -> Iterator[dict[str, Any]]:
    figures = {name: _plain(getattr(unit, name)[rows]) for name in UNIT_SCALARS}
    components = {name: _plain(values[rows]) for name, values in unit.components.items()}
    return _rows(
        {
            "unit": [unit.unit] * len(rows),
            "binding": [BINDING_NAMES[code] for code in unit.binding_code[rows].tolist()],
            **figures,
            "components": list(_rows(components)) if components else [{} for _ in rows],
            **_scenarios(unit, rows),
        }
    )


def _scenarios(unit: UnitFigures, rows: Places) -> dict[str, Sequence[Any]]:
    """The scenario matrix and its worst cell: the first lowest, price ascending, then down, same, up."""
    if unit.pnl is None or unit.price_moves is None:
        return {"scenarios": [None] * len(rows), "worst": [None] * len(rows)}
    pnl = unit.pnl[rows] + 0.0
    moves = unit.price_moves.tolist()
    cells = pnl.reshape(len(rows), len(moves) * len(VOL_SHIFTS))
    return {
        "scenarios": [
            {"price_moves": moves, "vol_shifts": list(VOL_SHIFTS), "pnl": matrix} for matrix in pnl.tolist()
        ],
        "worst": [
            {"price_move": moves[move], "vol_shift": VOL_SHIFTS[shift], "pnl": lowest}
            for (move, shift), lowest in zip(
                (divmod(cell, len(VOL_SHIFTS)) for cell in cells.argmin(axis=1).tolist()),
                cells.min(axis=1).tolist(),
                strict=True,
            )
        ],
    }
