"""The spot leg of a hedged pair: coins sold, or bought back, as a derivative is reduced by as many."""

from decimal import Decimal

from liquidation.planner.amounts import ZERO, decimal_of, down
from liquidation.planner.desk import Situation
from liquidation.planner.listings import Listing
from liquidation.planner.proposals import Exchange


def settlement_of(listing: Listing) -> str:
    """What the spot leg against a derivative is sold for: its settlement currency, or USDT for the coin."""
    settle = listing.instrument.settle
    return "USDT" if settle == listing.instrument.underlying else settle


def spot_leg(situation: Situation, listing: Listing, contracts: Decimal, in_use: float) -> Exchange | None:
    """The conversion of as many coins as `contracts` of a derivative have delta.

    Spot that is held is sold, never more than there is; coins owed (`in_use` < 0) are bought. None where
    the other currency has no price.
    """
    coin, other = listing.instrument.underlying, settlement_of(listing)
    if not situation.desk.listings.usable(other):
        return None
    amount = down(contracts * decimal_of(abs(listing.delta)))
    if in_use < 0.0:
        return situation.desk.converter.buying(coin, amount, other)
    there = situation.account.balances.get(coin, ZERO)
    return Exchange(coin, min(amount, there), other)
