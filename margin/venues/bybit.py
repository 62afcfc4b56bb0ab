"""A margin report in the words of Bybit's portfolio-margin answer, so that a client of the venue's reads it.

Pure. P&L ranges give a value for each price move, of single positions one with volatility up, the same and
down each; totals are at the volatility of the largest loss, as the venue prints them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.documents.book import BookDocument
from margin.engine.instruments import Kind, Style
from margin.engine.methodologies.bybit_arrays import scenario_columns
from margin.engine.methodologies.terms import Terms
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import for_coin
from margin.engine.scenarios import VOL_SHIFTS, symmetric_moves
from margin.venues.holdings import Held, Holdings, holdings_by_unit
from margin.venues.texts import milliseconds, number

Floats = npt.NDArray[np.float64]

#: The venue's names of the contingencies.
_CONTINGENCY: Final = {
    "optionContingency": "short_option",
    "optionVegaContingency": "vega_spread",
    "usdtUsdcContingency": "stablecoin_spread",
    "futureDeltaContingency": "delta_spread",
    "futureContingency": "perp_futures",
    "contingencyComponents": "contingency",
}
_INVERSE_PERPETUAL, _LINEAR_PERPETUAL, _LINEAR_FUTURE, _INVERSE_FUTURE = 1, 2, 3, 4
_UP_SAME_DOWN: Final = (2, 1, 0)


def portfolio_margin(book: BookDocument, report: Mapping[str, Any]) -> dict[str, Any]:
    """The venue's answer for a margined book. What a methodology has no figure for is empty."""
    held = holdings_by_unit(book)
    units = [_unit(unit, book, held.get(unit["unit"])) for unit in report["risk_units"]]
    return {
        "retCode": 0,
        "retMsg": "success",
        "result": {"wallet": _wallet(report), "assetPnlRange": units},
        "retExtInfo": {},
        "time": milliseconds(book.as_of),
    }


def _wallet(report: Mapping[str, Any]) -> dict[str, str]:
    account, currencies = report["account"], report["currencies"]
    prices = ((row, row["usd_value"] / row["equity"] if row["equity"] else 0.0) for row in currencies)
    return {
        "equity": number(account["net_equity"]),
        "cashBalance": number(sum((row["cash"] * price for row, price in prices), 0.0)),
        "marginBalance": number(account["adjusted_equity"]),
        "availableBalance": number(max(account["adjusted_equity"] - account["imr"], 0.0)),
        "accountIM": number(account["imr"]),
        "accountMM": number(account["mmr"]),
        "accountIMRate": number(account["imr_rate"]),
        "accountMMRate": number(account["mmr_rate"]),
    }


def _unit(unit: Mapping[str, Any], book: BookDocument, held: Holdings | None) -> dict[str, Any]:
    worst, components = unit["worst"], unit["components"]
    named = {name: number(components.get(ours)) for name, ours in _CONTINGENCY.items()}
    shift = None if worst is None else worst["vol_shift"]
    return {
        "baseCoin": unit["unit"],
        "asset": {"coin": unit["unit"], "assetIM": number(unit["imr"]), "assetMM": number(unit["mmr"])},
        "contingency": named,
        "maxLossPriceMove": "" if worst is None else number(worst["price_move"]),
        "maxLossIvShock": _iv_shock(book, shift),
        "maxLossIvShockList": [] if shift is None else [_iv_shock(book, shift)],
        "spotHedgeInfo": _spot(unit, book),
        **_ranges(unit, book, held),
    }


def _spot(unit: Mapping[str, Any], book: BookDocument) -> dict[str, str]:
    coin = unit["unit"].partition("-")[0]
    return {
        "hedgeSpotSize": number(unit["spot_in_use"]),
        "walletBalance": number(float(book.account_rows.balances.get(coin, 0))),
        "usdIndexPrice": number(book.market.usd_price(coin)),
    }


def _iv_shock(book: BookDocument, shift: str | None) -> str:
    if shift is None or not isinstance(book.parameters, BybitParameters):
        return ""
    vol = book.parameters.vol
    return number({"down": -vol.down, "same": 0.0, "up": vol.up}[shift])


def _ranges(unit: Mapping[str, Any], book: BookDocument, held: Holdings | None) -> dict[str, Any]:
    """P&L by price move: of the unit, of its kinds of contract, and of each position."""
    grid = unit["scenarios"]
    if grid is None or held is None or not isinstance(book.parameters, BybitParameters):
        return {"totalPnlRanges": {}, "perpPositionPnlRanges": [], "optionExpiryDatePnlRanges": []}
    column = VOL_SHIFTS.index(unit["worst"]["vol_shift"])
    moves = symmetric_moves(for_coin(book.parameters.price_moves, held.unit.coin))
    cells = scenario_columns(Terms.of(book.market, held.unit), book.parameters, moves)
    cube = cells.reshape(len(cells), len(VOL_SHIFTS), len(moves)).transpose(0, 2, 1)
    pnl = [(row, row.quantity * cube[row.member]) for row in held.positions]
    options = [(row, cell) for row, cell in pnl if row.instrument.kind is Kind.OPTION]
    futures = [(row, cell) for row, cell in pnl if row.instrument.kind is not Kind.OPTION]
    totals = {"ALL": np.asarray(grid["pnl"])[:, column]} | {
        name: np.sum([cell[:, column] for _, cell in rows], axis=0)
        for name, rows in (("PERPETUAL", futures), ("OPTION", options))
        if rows
    }
    return {
        "totalPnlRanges": {name: {"pnlRanges": _range(moves, [total])} for name, total in totals.items()},
        "perpPositionPnlRanges": [_position(row, _range(moves, [cell[:, 1]])) for row, cell in futures],
        "optionExpiryDatePnlRanges": _by_expiry(moves, options),
    }


def _by_expiry(moves: Floats, options: Sequence[tuple[Held, Floats]]) -> list[dict[str, Any]]:
    grouped: dict[str, list[tuple[Held, Floats]]] = defaultdict(list)
    for row, cell in options:
        assert row.instrument.expiry is not None
        grouped[f"{row.instrument.expiry:%d%b%y}".upper()].append((row, cell))
    return [
        {
            "expiryDateRepresentation": expiry,
            "pnlRanges": _range(moves, _columns(np.sum([cell for _, cell in rows], axis=0))),
            "optionPositionPnlRanges": [_position(row, _range(moves, _columns(cell))) for row, cell in rows],
        }
        for expiry, rows in grouped.items()
    ]


def _columns(cell: Floats) -> list[Floats]:
    return [cell[:, column] for column in _UP_SAME_DOWN]


def _range(moves: Floats, columns: Sequence[Floats]) -> list[dict[str, Any]]:
    return [
        {"priceScale": number(float(move)), "pnls": [number(float(values[i])) for values in columns]}
        for i, move in enumerate(moves)
    ]


def _position(row: Held, ranges: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "symbolName": row.instrument.id,
        "position": number(row.quantity),
        "sessionAvgPrice": number(row.entry),
        "markPrice": number(row.mark),
        "orderSize": "0",
        "contractType": _contract_type(row),
        "settleCoin": row.instrument.settle,
        "pnlRanges": ranges,
    }


def _contract_type(row: Held) -> int:
    is_inverse = row.instrument.style is Style.INVERSE
    if row.instrument.kind is Kind.PERPETUAL:
        return _INVERSE_PERPETUAL if is_inverse else _LINEAR_PERPETUAL
    return _INVERSE_FUTURE if is_inverse else _LINEAR_FUTURE
