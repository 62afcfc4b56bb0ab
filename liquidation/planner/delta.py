"""`ddh2`, in okx-classic `delta_hedge`: trade against the net delta of units whose options lose by price."""

from typing import Final

from liquidation.planner.amounts import meant
from liquidation.planner.assessment import UnitView
from liquidation.planner.desk import Situation
from liquidation.planner.plan import StepKind
from liquidation.planner.proposals import Groups, Proposal
from liquidation.planner.words import coins, contracts, leads

#: MR6 is the same loss at a larger move.
_BY_PRICE: Final = ("mr1", "mr6")


def dynamic_hedge(situation: Situation) -> Groups:
    """`ddh2` of okx-2025."""
    return _delta_hedge(situation, StepKind.DDH2)


def group_hedge(situation: Situation) -> Groups:
    """`delta_hedge` of okx-classic, whose units are of one settlement group."""
    return _delta_hedge(situation, StepKind.DELTA_HEDGE)


def _delta_hedge(situation: Situation, kind: StepKind) -> Groups:
    """One candidate for each unit, in order of what the units require."""
    with_options = {listing.unit for listing, _ in situation.positions() if listing.is_option}
    proposals = (
        _against(situation, unit, kind)
        for unit in situation.now.units.values()
        if unit.name in with_options and unit.leading in _BY_PRICE
    )
    return [(proposal,) for proposal in proposals if proposal]


def _against(situation: Situation, unit: UnitView, kind: StepKind) -> Proposal | None:
    """A part of the unit's net delta, never past zero."""
    hedge = situation.desk.listings.hedge(unit.name)
    if hedge is None:
        return None
    net = unit.delta + unit.spot_in_use
    size = situation.desk.sizing.contracts(meant(abs(net) / hedge.delta), hedge.worth_usd)
    if not size:
        return None
    verb, coin = "sold" if net > 0.0 else "bought", hedge.instrument.underlying
    return Proposal(
        kind=kind,
        reason=(
            f"{leads(unit)}, and it holds options: its net delta of {coins(net, coin)} is hedged, "
            f"{contracts(size)} of {hedge.id} {verb}"
        ),
        unit=unit.name,
        component=unit.leading,
        trades=((hedge, -size if net > 0.0 else size),),
    )
