"""The margin report document of one account out of a shard's columns (spec 01, section 7)."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from margin.engine.parameters.common import Header
from margin.engine.results import NULLABLE, STATUSES, UNIT_SCALARS, CurrencyFigures, ShardMargin, UnitFigures
from margin.engine.scenarios import VOL_SHIFTS

#: Version of the engine: it changes whenever a figure may change.
ENGINE_VERSION: Final = "1.0.0"


@dataclass(frozen=True)
class ReportHeader:
    """What a report was computed from."""

    methodology: str
    parameters: Header
    as_of: str
    input_sha256: str


def render(shard: ShardMargin, account: int, header: ReportHeader) -> dict[str, Any]:
    """The report of account number `account`; plain Python values, ready for JSON."""
    return {
        "methodology": header.methodology,
        "parameters": {"version": header.parameters.version, "sha256": header.parameters.sha256},
        "engine": ENGINE_VERSION,
        "as_of": header.as_of,
        "input_sha256": header.input_sha256,
        "account": _account(shard, account),
        "currencies": _currencies(shard.currencies, account),
        "risk_units": [
            _unit(unit, int(row)) for unit in shard.units for row in np.flatnonzero(unit.account == account)
        ],
    }


def _plain(value: np.floating[Any]) -> float:
    """A Python float, negative zero made plain zero."""
    return float(value) + 0.0


def _account(shard: ShardMargin, account: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"id": shard.ids[account]}
    for name, values in shard.accounts.figures():
        value = values[account]
        figures[name] = None if name in NULLABLE and np.isnan(value) else _plain(value)
    figures["status"] = str(STATUSES[int(shard.accounts.status[account])])
    return figures


def _currencies(figures: CurrencyFigures, account: int) -> list[dict[str, Any]]:
    return [
        {"currency": figures.currencies[column]}
        | {name: _plain(values[account, column]) for name, values in figures.figures()}
        for column in np.flatnonzero(figures.present[account])
    ]


def _unit(unit: UnitFigures, row: int) -> dict[str, Any]:
    report: dict[str, Any] = {"unit": unit.unit, "binding": unit.binding[row]}
    report |= {name: _plain(getattr(unit, name)[row]) for name in UNIT_SCALARS}
    report["components"] = {name: _plain(values[row]) for name, values in unit.components.items()}
    return report | _scenarios(unit, row)


def _scenarios(unit: UnitFigures, row: int) -> dict[str, Any]:
    """The scenario matrix and its worst cell: the first lowest, price ascending, then down, same, up."""
    if unit.pnl is None or unit.price_moves is None:
        return {"scenarios": None, "worst": None}
    pnl = unit.pnl[row] + 0.0
    move, shift = divmod(int(np.argmin(pnl)), len(VOL_SHIFTS))
    return {
        "scenarios": {
            "price_moves": [float(m) for m in unit.price_moves],
            "vol_shifts": list(VOL_SHIFTS),
            "pnl": pnl.tolist(),
        },
        "worst": {
            "price_move": float(unit.price_moves[move]),
            "vol_shift": VOL_SHIFTS[shift],
            "pnl": float(pnl[move, shift]),
        },
    }
