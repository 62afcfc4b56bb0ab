"""The `changes` object of a what-if, and the market `shifts` within it (spec 60, section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from margin.engine.documents.account import HOLDINGS, OrderRow, PositionRow, check_holdings
from margin.engine.documents.market import PRICE, PRICE_CEILING, PRICE_FLOOR, MarketRows
from margin.engine.documents.schema import Faults, MapOf, Number, Record, child
from margin.engine.instruments import Instrument, Kind
from margin.engine.market import STABLE_CURRENCIES
from margin.engine.shifts import MarketShifts

#: Bounds of this document: a price may fall by less than all, volatility may move by 10,000 points.
PRICE_MOVE: Final = Number(above=-1.0, at_most=1e6)
VOL_POINTS: Final = Number(at_least=-1e4, at_most=1e4)
_SECONDS: Final = Number(at_least=0.0, at_most=1e10)


@dataclass(frozen=True, slots=True)
class Changes:
    """What is added to an account, and how the market moves."""

    balances: Mapping[str, Decimal]
    positions: tuple[PositionRow, ...]
    orders: tuple[OrderRow, ...]
    shifts: MarketShifts


_SHIFTS: Final = Record(
    {},
    {
        "price": (MapOf(PRICE_MOVE), {}),
        "vol_points": (VOL_POINTS, 0.0),
        "fx": (MapOf(PRICE, keys=STABLE_CURRENCIES), {}),
        "seconds": (_SECONDS, 0.0),
    },
)
_SHAPE: Final = Record({}, {**HOLDINGS, "shifts": (_SHIFTS, _SHIFTS.read({}, "", Faults()))})


def read_changes(value: Any, market: MarketRows, path: str) -> Changes:
    """The changes object at `path`, checked against the market; DocumentError with every fault."""
    faults = Faults()
    fields = _SHAPE.read(value, path, faults)
    faults.raise_if_any()
    check_holdings(fields["positions"], fields["orders"], market, path, faults)
    shifts = _shifts(fields.pop("shifts"), market, child(path, "shifts"), faults)
    faults.raise_if_any()
    return Changes(shifts=shifts, **fields)


def price_stays_in_bounds(market: MarketRows, coin: str, move: float) -> bool:
    """Whether every index, mark and forward of a coin is still a price after a relative move."""
    prices = [value for pair, value in market.index.items() if pair.rpartition("-")[0] == coin]
    for row in market.instruments:
        if row.underlying == coin:
            prices += [value for value in (_scaled_mark(row), row.forward) if value is not None]
    return all(PRICE_FLOOR <= value * (1.0 + move) <= PRICE_CEILING for value in prices)


def _scaled_mark(row: Instrument) -> float | None:
    """The mark where it moves by the same factor as the index, which an option's does not."""
    return None if row.kind is Kind.OPTION else row.mark


def _shifts(fields: Mapping[str, Any], market: MarketRows, path: str, faults: Faults) -> MarketShifts:
    for coin, move in fields["price"].items():
        where = f"{path}.price.{coin}"
        if f"{coin}-USD" not in market.index:
            faults.add(where, f"the market has no index {coin}-USD")
        elif not price_stays_in_bounds(market, coin, move):
            faults.add(where, f"takes a price out of [{PRICE_FLOOR:g}, {PRICE_CEILING:g}]")
    if fields["fx"].get("USD", 1.0) != 1.0:
        faults.add(f"{path}.fx.USD", "must be 1")
    if not _reaches(market.as_of, fields["seconds"]):
        faults.add(f"{path}.seconds", "is out of range")
    coins = sorted({row.underlying for row in market.instruments})
    return MarketShifts(
        price=fields["price"],
        vol_points=dict.fromkeys(coins, fields["vol_points"]),
        fx=fields["fx"],
        seconds=fields["seconds"],
    )


def _reaches(start: datetime, seconds: float) -> bool:
    """Whether the instant so many seconds later can be written."""
    try:
        start + timedelta(seconds=seconds)
    except OverflowError:
        return False
    return True
