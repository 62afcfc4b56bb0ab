"""`close`: reduce the position that lowers the deficit most for its cost, or else all of a unit together."""

from decimal import Decimal

from liquidation.planner.assessment import UnitView
from liquidation.planner.desk import Situation
from liquidation.planner.listings import Listing
from liquidation.planner.plan import StepKind
from liquidation.planner.proposals import Groups, Proposal
from liquidation.planner.words import contracts, leads
from margin.engine.documents.account import PositionRow

Held = tuple[Listing, PositionRow]


def reduction(situation: Situation) -> Groups:
    """Every position by itself, then every unit as a whole."""
    return _groups(situation, situation.positions())


def reduction_of_risk(situation: Situation) -> Groups:
    """The same without long options, which cost nothing but their premium."""
    risky = [held for held in situation.positions() if not (held[0].is_option and held[1].quantity > 0)]
    return _groups(situation, risky)


def _groups(situation: Situation, positions: list[Held]) -> Groups:
    units = situation.now.units
    singles = [_single(situation, units[held[0].unit], held) for held in positions]
    joint = [
        _joint(situation, unit, mine)
        for unit in units.values()
        for mine in [[held for held in positions if held[0].unit == unit.name]]
        if len(mine) > 1
    ]
    return [singles, *((proposal,) for proposal in joint)]


def _trade(situation: Situation, held: Held) -> tuple[Listing, Decimal]:
    """The step's part of a position, to be traded against it."""
    listing, row = held
    quantity = abs(row.quantity)
    size = situation.desk.sizing.contracts(quantity, listing.worth_usd, quantity)
    return listing, -size if row.quantity > 0 else size


def _single(situation: Situation, unit: UnitView, held: Held) -> Proposal:
    listing, traded = _trade(situation, held)
    return Proposal(
        kind=StepKind.CLOSE,
        reason=(
            f"{leads(unit)}: of all positions, reducing {listing.id} by {contracts(traded)} lowers the "
            f"deficit most for what it costs"
        ),
        unit=unit.name,
        component=unit.leading,
        trades=((listing, traded),),
    )


def _joint(situation: Situation, unit: UnitView, positions: list[Held]) -> Proposal:
    return Proposal(
        kind=StepKind.CLOSE,
        reason=f"{leads(unit)}: no single position helps, so all {len(positions)} of them are reduced alike",
        unit=unit.name,
        component=unit.leading,
        trades=tuple(_trade(situation, held) for held in positions),
    )
