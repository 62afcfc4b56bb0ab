"""`ddh1`: hedge the stablecoins against coming apart (MR9), while that is what the largest unit is about."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from liquidation.planner.amounts import meant
from liquidation.planner.assessment import UnitView
from liquidation.planner.desk import Situation
from liquidation.planner.listings import Listing
from liquidation.planner.plan import StepKind
from liquidation.planner.proposals import Groups, Proposal
from liquidation.planner.sizing import nearest
from liquidation.planner.spot import spot_leg
from liquidation.planner.words import coins, leads, usd
from margin.engine.documents.account import PositionRow
from margin.engine.instruments import Group
from margin.engine.methodologies.okx_2025 import depeg_pairs
from margin.engine.parameters.okx import DepegRates, OkxParameters

Floats = npt.NDArray[np.float64]

_FACTOR: Final = "mr9"


@dataclass(frozen=True)
class _Pair:
    """The pair that costs most: its groups, the signs of their cash deltas, and what offsets, in coins."""

    unit: UnitView
    long: Group
    short: Group
    hedged_usd: float
    hedged: float
    charge: float

    def side(self, group: Group) -> int:
        return 1 if group is self.long else -1

    def facing(self, group: Group) -> Group:
        return self.short if group is self.long else self.long

    def reason(self) -> str:
        return (
            f"{leads(self.unit)}; {self.long.name} against {self.short.name} offset {usd(self.hedged_usd)} "
            f"and cost {usd(self.charge)} of it, the most of all pairs"
        )


def depeg_hedge(situation: Situation) -> Groups:
    """The one candidate: both sides of the dearest pair, by the same coins, so that no delta is opened."""
    unit = next(iter(situation.now.units.values()), None)
    if unit is None or unit.leading != _FACTOR:
        return ()
    pair = _dearest_pair(situation, unit)
    if pair is None:
        return ()
    only_spot = Group.USD in (pair.long, pair.short) and not _derivatives(situation, unit.name, Group.USD)
    proposal = _spot_out(situation, pair) if only_spot else _hedges(situation, pair)
    return ((proposal,),) if proposal else ()


def _derivatives(situation: Situation, unit: str, group: Group) -> list[tuple[Listing, PositionRow]]:
    """Positions of a settlement group that have a delta."""
    held = situation.positions(unit)
    return [pair for pair in held if pair[0].group is group and pair[0].delta != 0.0]


def _cash(situation: Situation, unit: UnitView, price: float, rates: DepegRates) -> Floats:
    """(3, 1) net USD cash delta of the settlement groups."""
    cash = np.zeros((len(Group), 1))
    for listing, row in situation.positions(unit.name):
        cash[listing.group] += float(row.quantity) * listing.cash_delta
    if rates.include_spot:
        cash[Group.USD] += unit.spot_in_use * price
    return cash


def _dearest_pair(situation: Situation, unit: UnitView) -> _Pair | None:
    book = situation.desk.book
    assert isinstance(book.parameters, OkxParameters) and book.parameters.depeg is not None
    rates, price = book.parameters.depeg, book.market.index[f"{unit.name}-USD"]
    cash = _cash(situation, unit, price, rates)
    pairs = depeg_pairs(cash, {group: book.market.fx_rate(group.name) for group in Group}, rates)
    found = max(pairs, key=lambda pair: float(pair.charge[0]))
    hedged, first_is_long = float(found.hedged[0]), bool(cash[found.first, 0] > 0.0)
    if hedged <= 0.0:
        return None
    long, short = (found.first, found.second) if first_is_long else (found.second, found.first)
    return _Pair(unit, long, short, hedged, hedged / price, float(found.charge[0]))


def _hedges(situation: Situation, pair: _Pair) -> Proposal | None:
    """The hedge instruments of both groups in opposite directions; the coarser one sets the lots."""
    desk = situation.desk
    legs = [desk.listings.hedge(pair.unit.name, group) for group in (pair.long, pair.short)]
    if None in legs:
        return None
    fine, coarse = sorted((leg for leg in legs if leg), key=lambda leg: (leg.delta, leg.id))
    lots = desk.sizing.contracts(meant(pair.hedged / coarse.delta), coarse.worth_usd)
    others = nearest(lots * meant(coarse.delta / fine.delta))
    if not lots or not others:
        return None
    return Proposal(
        kind=StepKind.DDH1,
        reason=f"{pair.reason()}: {coins(lots * meant(coarse.delta), pair.unit.name)} less on both sides",
        unit=pair.unit.name,
        component=_FACTOR,
        trades=tuple((leg, -pair.side(leg.group) * size) for leg, size in ((coarse, lots), (fine, others))),
    )


def _spot_out(situation: Situation, pair: _Pair) -> Proposal | None:
    """A USD side that is spot alone leaves for the currency of the largest derivative that it faces."""
    facing, unit = pair.facing(Group.USD), pair.unit
    candidates = [
        (listing, row)
        for listing, row in _derivatives(situation, unit.name, facing)
        if float(row.quantity) * listing.delta * pair.side(facing) > 0.0
    ]
    if not candidates:
        return None
    listing, row = max(candidates, key=lambda held: abs(float(held[1].quantity) * held[0].cash_delta))
    wanted = meant(pair.hedged / abs(listing.delta))
    size = situation.desk.sizing.contracts(wanted, listing.worth_usd, abs(row.quantity))
    leg = spot_leg(situation, listing, size, unit.spot_in_use) if size else None
    if leg is None or not leg.amount:
        return None
    return Proposal(
        kind=StepKind.DDH1,
        reason=f"{pair.reason()}: the spot leaves with as much of {listing.id}",
        unit=unit.name,
        component=_FACTOR,
        trades=((listing, -size if row.quantity > 0 else size),),
        exchanges=(leg,),
    )
