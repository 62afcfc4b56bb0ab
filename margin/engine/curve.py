"""An account's margin against the price or volatility of a coin, and the prices at which it is liquidated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import numpy as np
import scipy

from margin.engine.book import Book
from margin.engine.documents.book import BookDocument, assemble, named_instruments
from margin.engine.documents.changes import PRICE_MOVE, VOL_POINTS, price_stays_in_bounds
from margin.engine.documents.schema import Faults, ListOf
from margin.engine.errors import DocumentError, Fault, NonFiniteError
from margin.engine.exposures import notional_at_index
from margin.engine.market import STABLE_CURRENCIES, Market
from margin.engine.parameters.common import check_ascending
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import margin_book
from margin.engine.shifts import MarketShifts, shifted

#: Where a curve is drawn unless told otherwise: 61 points from -50 % to +100 %, 0 among them.
PRICE_MOVES: Final = tuple((step - 20) / 40 for step in range(61))
#: The same in vol points.
VOL_MOVES: Final = tuple(100.0 * move for move in PRICE_MOVES)
MOST_POINTS: Final = 601

_ROOT_TOLERANCE: Final = 1e-12
_TURN_TOLERANCE: Final = 1e-3
_DEEPEST_TURN: Final = 8.0


class Axis(StrEnum):
    """What moves: the PRICE of the coin (relative), or the VOL of its options (in vol points)."""

    PRICE = "price"
    VOL = "vol"

    def shifts(self, coin: str, move: float) -> MarketShifts:
        """The market shift of a point of the curve."""
        if self is Axis.PRICE:
            return MarketShifts(price={coin: move})
        return MarketShifts(vol_points={coin: move})


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The account after a move: adjusted equity and maintenance margin in USD, ratio None where undefined.

    `required` is what the ratio divides by, in USD; `health` what the equity base exceeds the liquidation
    threshold by.
    """

    move: float
    equity: float
    mmr: float
    margin_ratio: float | None
    required: float
    health: float

    def equity_at(self, ratio: float) -> float:
        """The adjusted equity at which the account would have this margin ratio here, USD."""
        here = 0.0 if self.margin_ratio is None else self.margin_ratio
        return self.equity - (here - ratio) * self.required


@dataclass(frozen=True, slots=True)
class Curve:
    """The points in ascending order, and the moves between them at which liquidation begins or ends."""

    coin: str
    axis: Axis
    price: float
    points: tuple[CurvePoint, ...]
    liquidation_moves: tuple[float, ...]

    def document(self) -> dict[str, Any]:
        """The curve as plain values; liquidation prices are of the USD index of the coin."""
        by_price = self.axis is Axis.PRICE
        return {
            "coin": self.coin,
            "axis": str(self.axis),
            "points": [
                {
                    "move": point.move,
                    "equity": point.equity,
                    "mmr": point.mmr,
                    "margin_ratio": point.margin_ratio,
                }
                for point in self.points
            ],
            "liquidation_moves": list(self.liquidation_moves),
            "liquidation_prices": [self.price * (1.0 + m) for m in self.liquidation_moves]
            if by_price
            else [],
        }


def curve_of(
    book: BookDocument, coin: str | None = None, axis: Axis = Axis.PRICE, moves: Any = None
) -> Curve:
    """The curve of a checked book document.

    Parameters
    ----------
    coin : the coin that moves; None takes the one of the book's largest gross notional.
    moves : ascending moves along the axis; None takes `PRICE_MOVES` or `VOL_MOVES`.

    Raises
    ------
    DocumentError
        At `coin` or `moves`; at `account` where a figure is not finite.
    """
    coin = main_coin(book.book, book.market) if coin is None else coin
    if f"{coin}-USD" not in book.market.index:
        raise DocumentError([Fault("coin", f"the market has no index {coin}-USD")])
    grid = _read_moves(moves, axis)
    if axis is Axis.PRICE:
        for place in (0, -1):
            if not price_stays_in_bounds(book.market_rows, coin, grid[place]):
                raise DocumentError([Fault(f"moves[{place % len(grid)}]", "takes a price out of bounds")])
    held = _held_only(book)
    try:
        return draw(held.book, held.market, held.parameters, coin, axis, grid)
    except NonFiniteError as error:
        raise DocumentError([Fault("account", str(error))]) from error


def draw(
    book: Book, market: Market, parameters: Parameters, coin: str, axis: Axis, moves: Sequence[float]
) -> Curve:
    """The curve of a book of one account over ascending moves: the whole book is margined anew at each.

    A liquidation move is where the account passes the liquidation threshold, in either direction and also by
    a jump of a tier. It is sought wherever two neighbouring moves, or a turning point of the health between
    them, lie on different sides; what happens twice between two neighbours without such a turn is missed.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """

    def at(move: float) -> CurvePoint:
        return _point(book, shifted(market, axis.shifts(coin, move)), parameters, move)

    points = tuple(at(move) for move in moves)
    return Curve(
        coin=coin,
        axis=axis,
        price=market.index[f"{coin}-USD"],
        points=points,
        liquidation_moves=_crossings(points, lambda move: at(move).health),
    )


def _point(book: Book, market: Market, parameters: Parameters, move: float) -> CurvePoint:
    accounts = margin_book(book, market, parameters).accounts
    ratio, mmr = float(accounts.margin_ratio[0]), float(accounts.mmr[0])
    required = mmr + float(accounts.liquidation_fee[0])
    equity = float(accounts.adjusted_equity[0])
    if np.isnan(ratio):
        # Nothing is required, so nothing can be liquidated, whatever the equity.
        return CurvePoint(move, equity, mmr, None, required, max(equity, 1.0))
    # The ratio itself has a pole where the requirement vanishes; this has its sign and none.
    health = (ratio - parameters.liquidation_ratio) * required
    return CurvePoint(move, equity, mmr, ratio, required, health)


def _crossings(points: Sequence[CurvePoint], health: Callable[[float], float]) -> tuple[float, ...]:
    """Moves at which the health passes 0, ascending."""
    known = sorted([(point.move, point.health) for point in points] + _turns(points, health))
    return tuple(
        # By its full name: scipy loads this part at its first use, and every process starts that much sooner.
        float(scipy.optimize.brentq(health, low, high, xtol=_ROOT_TOLERANCE))
        for (low, before), (high, after) in pairwise(known)
        if (before > 0.0) != (after > 0.0)
    )


def _turns(points: Sequence[CurvePoint], health: Callable[[float], float]) -> list[tuple[float, float]]:
    """Turning points beside the drawn ones that lie on the other side of 0 than all around them."""
    found = []
    for left, middle, right in zip(points, points[1:], points[2:], strict=False):
        side = 1.0 if middle.health > 0.0 else -1.0
        near = [side * point.health for point in (left, middle, right)]
        rise = min(near[0], near[2]) - near[1]
        # A turn cannot lie much deeper than its neighbours rise above it.
        if near[0] > 0.0 and near[2] > 0.0 and rise > 0.0 and near[1] <= _DEEPEST_TURN * rise:
            turn = _lowest(health, side, left.move, right.move)
            found += [turn] if side * turn[1] <= 0.0 else []
    return found


def _lowest(health: Callable[[float], float], side: float, low: float, high: float) -> tuple[float, float]:
    """Where health times `side` has a minimum within the bounds, and the health there."""
    result = scipy.optimize.minimize_scalar(
        lambda move: side * health(move),
        bounds=(low, high),
        method="bounded",
        options={"xatol": _TURN_TOLERANCE * (high - low), "maxiter": 100, "disp": 0},
    )
    return float(result.x), side * float(result.fun)


# What is drawn


def main_coin(book: Book, market: Market) -> str:
    """The coin of the largest gross USD notional in positions, orders and balances; of equals the first.

    Raises
    ------
    DocumentError
        At `coin`, where the book holds none.
    """
    table, gross = market.instruments, dict.fromkeys(market.instruments.underlyings, 0.0)
    notional = notional_at_index(market)
    for rows in (book.positions, book.orders):
        for place, quantity in zip(rows.instrument, rows.quantity, strict=True):
            gross[table.underlyings[table.underlying[place]]] += abs(quantity) * notional[place]
    for place, amount in zip(book.balances.currency, book.balances.amount, strict=True):
        code = book.currencies[place]
        if code not in STABLE_CURRENCIES:
            gross[code] = gross.get(code, 0.0) + abs(amount) * market.usd_price(code)
    held = {coin: value for coin, value in gross.items() if value > 0.0}
    if not held:
        raise DocumentError([Fault("coin", "is required: the book holds no coin and no derivative")])
    return min(held, key=lambda coin: (-held[coin], coin))


def _read_moves(moves: Any, axis: Axis) -> tuple[float, ...]:
    if moves is None:
        return PRICE_MOVES if axis is Axis.PRICE else VOL_MOVES
    faults = Faults()
    item = PRICE_MOVE if axis is Axis.PRICE else VOL_POINTS
    grid = ListOf(item, 2).read(moves, "moves", faults)
    faults.raise_if_any()
    assert grid is not None
    if len(grid) > MOST_POINTS:
        faults.add("moves", f"must have at most {MOST_POINTS} entries")
    check_ascending(grid, "moves", faults)
    faults.raise_if_any()
    return grid


def _held_only(book: BookDocument) -> BookDocument:
    """The book on a market of the instruments it names: the others change no figure, and take time."""
    rows = tuple({row.id: row for row in named_instruments(book.account_rows, book.market_rows)}.values())
    places = {row.id: place for place, row in enumerate(rows)}
    market_rows = replace(book.market_rows, instruments=rows, places=places)
    return assemble(book.parameters, market_rows, book.account_rows, market_rows.to_market())
