"""A step before it is taken: what it would trade, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from liquidation.planner.amounts import decimal_of, down, up
from liquidation.planner.listings import Listing, Listings
from liquidation.planner.plan import StepKind


@dataclass(frozen=True, slots=True)
class Exchange:
    """An amount of one currency to be sold for another."""

    sell: str
    amount: Decimal
    buy: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate step; trades are signed contracts, a sale negative."""

    kind: StepKind
    reason: str
    unit: str | None = None
    component: str | None = None
    trades: tuple[tuple[Listing, Decimal], ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    cancels: bool = False


#: Candidates of one kind: groups in the order in which they are preferred; within a group the one that
#: lowers the deficit most for its cost.
Groups = Sequence[Sequence[Proposal]]


@dataclass(frozen=True)
class Converter:
    """Conversions at USD prices less a fee."""

    listings: Listings
    fee: float

    def received(self, exchange: Exchange) -> Decimal:
        """What an exchange brings, after the fee; rounded down."""
        return down(exchange.amount * self._rate(exchange.sell, exchange.buy))

    def cost_usd(self, exchange: Exchange) -> Decimal:
        """The fee of an exchange."""
        return exchange.amount * self.listings.usd(exchange.sell) * decimal_of(self.fee)

    def buying(self, buy: str, amount: Decimal, sell: str) -> Exchange:
        """The exchange that brings at least `amount` of `buy`."""
        return Exchange(sell, up(amount / self._rate(sell, buy)), buy)

    def _rate(self, sell: str, buy: str) -> Decimal:
        return self.listings.usd(sell) / self.listings.usd(buy) * (1 - decimal_of(self.fee))
