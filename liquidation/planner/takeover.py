"""On which terms the insurance fund takes an account that cannot be saved (spec 50, section 5)."""

from liquidation.planner.amounts import ZERO, decimal_of, down
from liquidation.planner.desk import Situation
from liquidation.planner.plan import Takeover


def takeover(situation: Situation) -> Takeover:
    """Every perpetual and future at the price that, for the same fraction of all, uses up the net equity."""
    net = situation.now.net_equity
    positions = situation.positions()
    notional = sum(
        (listing.worth_usd * abs(row.quantity) for listing, row in positions if not listing.is_option), ZERO
    )
    fraction = decimal_of(net) / notional if notional else ZERO
    prices = {
        listing.id: listing.mark
        if listing.is_option
        else down(listing.mark * (1 - fraction * (1 if row.quantity > 0 else -1)))
        for listing, row in positions
    }
    cost = sum((listing.cost_usd * abs(row.quantity) for listing, row in positions), ZERO)
    return Takeover(prices, net, max(0.0, -net), cost)
