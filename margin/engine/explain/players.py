"""Among whom a requirement is divided: the rows of the binding order set, and the spot that hedges them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.order_sets import OrderSet, is_member
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


class PlayerKind(StrEnum):
    POSITION = "position"
    ORDER = "order"
    SPOT = "spot"


@dataclass(frozen=True, slots=True)
class Player:
    """One row that takes a share; `instrument` of spot is the coin, `quantity` is signed (spot: coins)."""

    kind: PlayerKind
    instrument: str
    quantity: float


@dataclass(frozen=True, eq=False)
class Players:
    """The players of one account in one risk unit of M members.

    Attributes
    ----------
    listed : D rows of derivatives, then the spot in use where there is any; P players.
    place : (D,) the rows' members of the unit.
    quantity : (D,) their signed contracts.
    net : (M,) contracts of each member, its rows added up.
    """

    listed: tuple[Player, ...]
    place: Ints
    quantity: Floats
    net: Floats

    @classmethod
    def of(
        cls,
        book: Book,
        instruments: tuple[str, ...],
        units: Partition,
        number: int,
        arrays: RiskArrays,
        order_set: OrderSet,
        spot_in_use: float,
    ) -> Self:
        """The positions, the orders of one order set and the spot in use of a one-account book."""
        positions, orders = book.positions, book.orders
        held = units.unit_of[positions.instrument] == number
        standing = units.unit_of[orders.instrument] == number
        lean = arrays.delta_sign[units.local_of[orders.instrument[standing]]]
        standing[standing] = is_member(order_set, lean * np.sign(orders.quantity[standing]))
        instrument = np.concatenate((positions.instrument[held], orders.instrument[standing]))
        quantity = np.concatenate((positions.quantity[held], orders.quantity[standing]))
        kinds = [PlayerKind.POSITION] * int(held.sum()) + [PlayerKind.ORDER] * int(standing.sum())
        listed = [
            Player(kind, instruments[place], float(size))
            for kind, place, size in zip(kinds, instrument, quantity, strict=True)
        ]
        if spot_in_use:
            listed.append(Player(PlayerKind.SPOT, arrays.unit.coin, spot_in_use))
        place = units.local_of[instrument]
        net = np.bincount(place, weights=quantity, minlength=len(arrays.unit.members))
        return cls(tuple(listed), place, quantity, net.astype(np.float64))

    def shares(self, slope: Floats, spot: float = 0.0) -> Floats:
        """(P,) shares out of (M,) USD for one more contract of each member, and what the spot adds in all."""
        held = self.quantity * slope[self.place]
        return np.append(held, spot) if len(self.listed) > len(held) else held

    def gross_slope(self, sides: Floats) -> Floats:
        """(M,) slopes of a charge on (2M,) sides, long and short contracts each in its own row.

        Rows of one instrument divide its charge in proportion to their signed quantities. Where they cancel
        out there is nothing to divide: the slope is the mean of those on either side.
        """
        long, short = sides[0::2], -sides[1::2]
        return np.where(self.net > 0.0, long, np.where(self.net < 0.0, short, (long + short) / 2.0))
