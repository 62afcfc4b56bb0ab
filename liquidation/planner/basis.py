"""`basis`: reduce hedged pairs, both legs alike, in the unit that pays most for basis (MR4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Self

from liquidation.planner.amounts import meant
from liquidation.planner.assessment import UnitView
from liquidation.planner.desk import Situation
from liquidation.planner.listings import Listing
from liquidation.planner.plan import StepKind
from liquidation.planner.proposals import Groups, Proposal
from liquidation.planner.sizing import nearest
from liquidation.planner.spot import spot_leg
from liquidation.planner.words import coins, usd
from margin.engine.documents.account import PositionRow

_FACTOR: Final = "mr4"


@dataclass(frozen=True)
class _Leg:
    """A position, and its coin delta."""

    listing: Listing
    row: PositionRow
    delta: float

    @classmethod
    def of(cls, listing: Listing, row: PositionRow) -> Self:
        return cls(listing, row, float(row.quantity) * listing.delta)


@dataclass(frozen=True)
class _Pair:
    """Two legs of opposite delta; `second` is None for the spot in use. Volume in coins."""

    volume: float
    first: _Leg
    second: _Leg | None

    def largest_first(self) -> tuple[float, str, str]:
        """Sort key: by volume, then by id."""
        return -self.volume, self.first.listing.id, self.second.listing.id if self.second else ""


def basis_reduction(situation: Situation) -> Groups:
    """One candidate for each hedged pair of that unit, the largest first."""
    units = [unit for unit in situation.now.units.values() if unit.components[_FACTOR] > 0.0]
    if not units:
        return ()
    unit = min(units, key=lambda unit: (-unit.components[_FACTOR], unit.name))
    pairs = sorted(_pairs(situation, unit), key=_Pair.largest_first)
    proposals = (_reduced(situation, unit, pair) for pair in pairs)
    return [(proposal,) for proposal in proposals if proposal]


def _pairs(situation: Situation, unit: UnitView) -> Iterator[_Pair]:
    legs = [_Leg.of(listing, row) for listing, row in situation.positions(unit.name)]
    futures = [leg for leg in legs if not leg.listing.is_option]
    for first, second in combinations(futures, 2):
        expiries = (first.listing.instrument.expiry, second.listing.instrument.expiry)
        if first.delta * second.delta < 0.0 and expiries[0] != expiries[1]:
            yield _Pair(min(abs(first.delta), abs(second.delta)), first, second)
    for leg in legs:
        if leg.delta * unit.spot_in_use < 0.0:
            yield _Pair(min(abs(leg.delta), abs(unit.spot_in_use)), leg, None)


def _reduced(situation: Situation, unit: UnitView, pair: _Pair) -> Proposal | None:
    if pair.second is None:
        return _against_spot(situation, unit, pair)
    return _two_futures(situation, unit, pair, pair.second)


def _two_futures(situation: Situation, unit: UnitView, pair: _Pair, second: _Leg) -> Proposal | None:
    """The leg of the coarser contract sets the lots, the other one follows as near as it can."""
    fine, coarse = sorted((pair.first, second), key=lambda leg: (leg.listing.delta, leg.listing.id))
    held = abs(coarse.row.quantity)
    wanted = min(meant(pair.volume / coarse.listing.delta), held)
    lots = situation.desk.sizing.contracts(wanted, coarse.listing.worth_usd, held)
    follows = nearest(lots * meant(coarse.listing.delta / fine.listing.delta))
    others = min(follows, abs(fine.row.quantity))
    if not lots or not others:
        return None
    trades = tuple(
        (leg.listing, -size if leg.row.quantity > 0 else size)
        for leg, size in ((coarse, lots), (fine, others))
    )
    names = f"{coarse.listing.id} against {fine.listing.id}"
    return Proposal(StepKind.BASIS, _reason(unit, pair, names), unit.name, _FACTOR, trades)


def _against_spot(situation: Situation, unit: UnitView, pair: _Pair) -> Proposal | None:
    listing, row = pair.first.listing, pair.first.row
    held = abs(row.quantity)
    wanted = min(meant(pair.volume / abs(listing.delta)), held)
    size = situation.desk.sizing.contracts(wanted, listing.worth_usd, held)
    spot = spot_leg(situation, listing, size, unit.spot_in_use) if size else None
    if spot is None or not spot.amount:
        return None
    trades = ((listing, -size if row.quantity > 0 else size),)
    names = f"{listing.id} against the spot"
    return Proposal(StepKind.BASIS, _reason(unit, pair, names), unit.name, _FACTOR, trades, (spot,))


def _reason(unit: UnitView, pair: _Pair, names: str) -> str:
    coin = pair.first.listing.instrument.underlying
    return (
        f"mr4 of {unit.name} ({usd(unit.components[_FACTOR])}) is the largest of all units: both legs of "
        f"{names}, which hedge {coins(pair.volume, coin)}, are reduced"
    )
