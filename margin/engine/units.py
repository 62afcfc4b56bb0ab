"""Risk units: which instruments are stressed together, and their expiry buckets."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.instruments import Group
from margin.engine.market import Market

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RiskUnit:
    """One risk unit with its M instruments.

    Attributes
    ----------
    name : as in the report, `BTC` or `BTC-USDT`.
    coin : the underlying.
    group : the settlement group of a split unit, None for a merged one.
    members : (M,) instrument indices, ascending, hence sorted by (expiry, id).
    bucket : (M,) ordinal of the member's expiry instant; futures and options of one instant share it,
        perpetuals have one of their own.
    bucket_years : (B,) years to each bucket's expiry, 0 for perpetuals.
    dated : (B,) False for the bucket of the perpetuals.
    """

    name: str
    coin: str
    group: Group | None
    members: Ints
    bucket: Ints
    bucket_years: Floats
    dated: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, name: str, coin: str, group: Group | None, members: Ints, market: Market) -> Self:
        """The unit of the given instruments of a market."""
        expiry = market.instruments.expiry[members]
        _, first, bucket = np.unique(expiry, return_index=True, return_inverse=True)
        return cls(
            name=name,
            coin=coin,
            group=group,
            members=members,
            bucket=bucket.astype(np.int32),
            bucket_years=market.years[members][first],
            dated=~market.instruments.perpetual[members][first],
        )


@dataclass(frozen=True, eq=False)
class Partition:
    """All risk units of a market, with the way from an instrument to its place in its unit.

    Attributes
    ----------
    units : sorted by name.
    unit_of, local_of : (I,) unit index, and index within the unit's members, of every instrument.
    """

    units: tuple[RiskUnit, ...]
    unit_of: Ints
    local_of: Ints

    @classmethod
    def of(cls, units: list[RiskUnit], instruments: int) -> Self:
        """The partition of `instruments` instruments into the given units."""
        ordered = tuple(sorted(units, key=lambda unit: unit.name))
        unit_of = np.full(instruments, -1, dtype=np.int32)
        local_of = np.full(instruments, -1, dtype=np.int32)
        for i, unit in enumerate(ordered):
            unit_of[unit.members] = i
            local_of[unit.members] = np.arange(len(unit.members), dtype=np.int32)
        return cls(ordered, unit_of, local_of)

    def held_by(self, book: Book) -> list[int]:
        """Numbers of the units in which the book has a derivative position or order, ascending."""
        held = np.concatenate((book.positions.instrument, book.orders.instrument))
        return [int(number) for number in np.unique(self.unit_of[held]) if number >= 0]


def merged_units(market: Market) -> Partition:
    """One unit per underlying coin, whatever settles it."""
    instruments = market.instruments
    units = [
        RiskUnit.of(coin, coin, None, np.flatnonzero(instruments.underlying == i).astype(np.int32), market)
        for i, coin in enumerate(instruments.underlyings)
    ]
    return Partition.of(units, len(instruments))


def split_units(market: Market) -> Partition:
    """One unit per underlying coin and settlement group."""
    instruments = market.instruments
    units = []
    for i, coin in enumerate(instruments.underlyings):
        for group in Group:
            members = np.flatnonzero((instruments.underlying == i) & (instruments.group == group))
            if len(members):
                units.append(
                    RiskUnit.of(f"{coin}-{group.name}", coin, group, members.astype(np.int32), market)
                )
    return Partition.of(units, len(instruments))
