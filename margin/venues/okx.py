"""A margin report in the words of OKX's position builder, so that a client of the venue's reads it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from margin.engine.documents.book import BookDocument
from margin.engine.explain.document import explanation_of
from margin.engine.instruments import Kind
from margin.engine.parameters.okx import OkxParameters
from margin.venues.holdings import Held, Holdings, holdings_by_unit
from margin.venues.texts import milliseconds, number

_COMPONENTS: Final = ("mr1", "mr2", "mr3", "mr4", "mr5", "mr6", "mr7", "mr9")
_TYPES: Final = {
    Kind.SPOT: "SPOT",
    Kind.PERPETUAL: "SWAP",
    Kind.FUTURE: "FUTURES",
    Kind.OPTION: "OPTION",
}
_COLUMNS: Final = {"volShockDown": "down", "volSame": "same", "volShockUp": "up"}
_SHIFTS: Final = {"down": "down", "same": "unchange", "up": "up"}


def position_builder(book: BookDocument, report: Mapping[str, Any], *, is_real: bool) -> dict[str, Any]:
    """The venue's answer for a margined book; ``is_real`` tells positions held from simulated ones.

    Deltas are in USD, as the venue gives them to who asks for cash greeks. What a methodology has no figure
    for is empty text, as the venue writes what is not asked for.
    """
    account, held = report["account"], holdings_by_unit(book)
    answer = {
        "eq": number(account["adjusted_equity"]),
        "totalMmr": number(account["mmr"]),
        "totalImr": number(account["imr"]),
        "borrowMmr": number(account["borrow_mmr"]),
        "derivMmr": number(account["derivatives_mmr"]),
        "marginRatio": number(account["margin_ratio"]),
        "upl": number(account["upl"]),
        "acctLever": number(account["leverage"]),
        "ts": str(milliseconds(book.as_of)),
        "assets": [_asset(row, report) for row in report["currencies"]],
        "positions": [],
        "riskUnitData": [
            _unit(unit, report, held.get(unit["unit"]), is_real) | _extreme(unit, book)
            for unit in report["risk_units"]
        ],
    }
    return {"code": "0", "data": [answer], "msg": ""}


def _asset(row: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, str]:
    in_use = sum(unit["spot_in_use"] for unit in report["risk_units"] if _coin(unit) == row["currency"])
    return {
        "ccy": row["currency"],
        "availEq": number(row["equity"]),
        "spotInUse": number(float(in_use)),
        "borrowMmr": number(row["borrow_mmr"]),
        "borrowImr": number(row["borrow_imr"]),
    }


def _coin(unit: Mapping[str, Any]) -> str:
    coin: str = unit["unit"].partition("-")[0]
    return coin


def _unit(
    unit: Mapping[str, Any], report: Mapping[str, Any], held: Holdings | None, is_real: bool
) -> dict[str, Any]:
    charged = {name: number(unit["components"].get(name)) for name in _COMPONENTS}
    portfolios = [] if held is None else [_position(row, is_real) for row in held.positions]
    if unit["spot_in_use"]:
        portfolios.append(_spot(unit))
    return {
        "riskUnit": unit["unit"],
        "mmrBf": "",
        "mmr": number(unit["mmr"]),
        "imrBf": "",
        "imr": number(unit["imr"]),
        "upl": number(unit["upl"]),
        **charged,
        # The venue prints the account's here, in every unit.
        "mr8": number(report["account"]["borrow_mmr"]),
        **_grid(unit),
        "delta": number(unit["cash_delta"]),
        "gamma": number(unit["gamma"]),
        "theta": number(unit["theta"]),
        "vega": number(unit["vega"]),
        "portfolios": portfolios,
    }


def _grid(unit: Mapping[str, Any]) -> dict[str, Any]:
    """MR1's cells and the worst of them; empty where the methodology has no scenarios."""
    grid, worst = unit["scenarios"], unit["worst"]
    if grid is None:
        empty: dict[str, dict[str, str]] = {name: {} for name in _COLUMNS}
        return {"mr1Scenarios": empty, "mr1FinalResult": {"pnl": "", "spotShock": "", "volShock": ""}}
    columns = [grid["vol_shifts"].index(shift) for shift in _COLUMNS.values()]
    moves = [number(move) for move in grid["price_moves"]]
    return {
        "mr1Scenarios": {
            name: {move: number(row[column]) for move, row in zip(moves, grid["pnl"], strict=True)}
            for name, column in zip(_COLUMNS, columns, strict=True)
        },
        "mr1FinalResult": {
            "pnl": number(worst["pnl"]),
            "spotShock": number(worst["price_move"]),
            "volShock": _SHIFTS[worst["vol_shift"]],
        },
    }


def _extreme(unit: Mapping[str, Any], book: BookDocument) -> dict[str, Any]:
    """The extreme move that MR6 is a part of the loss in."""
    result = {"pnl": "", "spotShock": ""}
    loss = unit["components"].get("mr6")
    if loss is not None and isinstance(book.parameters, OkxParameters):
        result["pnl"] = number(-loss / book.parameters.extreme_loss_factor)
        explained = explanation_of(book)[unit["unit"]]["components"]["mr6"]
        result["spotShock"] = number((explained["cell"] or {}).get("price_move"))
    return {"mr6FinalResult": result}


def _position(held: Held, is_real: bool) -> dict[str, Any]:
    return {
        "instId": held.instrument.id,
        "instType": _TYPES[held.instrument.kind],
        "amt": number(held.quantity),
        "posSide": "net",
        "avgPx": number(held.entry),
        "markPxBf": "",
        "markPx": number(held.mark),
        "floatPnl": number(held.upl),
        "notionalUsd": number(held.notional_usd),
        "delta": number(held.cash_delta),
        "gamma": number(held.gamma),
        "theta": number(held.theta),
        "vega": number(held.vega),
        "isRealPos": is_real,
    }


def _spot(unit: Mapping[str, Any]) -> dict[str, Any]:
    nothing = dict.fromkeys(("posSide", "avgPx", "markPxBf", "markPx", "floatPnl", "notionalUsd"), "")
    return {
        "instId": _coin(unit),
        "instType": _TYPES[Kind.SPOT],
        "amt": number(unit["spot_in_use"]),
        **nothing,
        "delta": number(unit["spot_in_use"]),
        "gamma": "",
        "theta": "",
        "vega": "",
        "isRealPos": False,
    }
