"""One market under one parameter version, on which any number of trial accounts are margined."""

from collections.abc import Sequence
from dataclasses import dataclass

from liquidation.planner.assessment import Assessment
from liquidation.planner.effects import Executed, executed, merged_account
from liquidation.planner.listings import Listing, Listings
from liquidation.planner.proposals import Converter, Proposal
from liquidation.planner.sizing import Sizing
from margin.engine.documents.account import AccountRows, PositionRow
from margin.engine.documents.book import BookDocument, book_of
from margin.engine.parameters.common import LiquidationRules
from margin.engine.pipeline import margin_shard, partition, stress_unit
from margin.engine.risk_arrays import RiskArrays


class Desk:
    """Margins and executes; every risk unit is stressed once, however many accounts are tried."""

    def __init__(self, book: BookDocument) -> None:
        self.book = book
        self._units = partition(book.market, book.parameters)
        self._arrays: dict[int, RiskArrays] = {}
        self.listings = Listings(book, self._units)
        self.sizing = Sizing.of(self.rules)
        self.converter = Converter(self.listings, self.rules.conversion_fee)

    @property
    def rules(self) -> LiquidationRules:
        return self.book.parameters.liquidation

    def merged(self, account: AccountRows) -> AccountRows:
        """The account with one row per instrument."""
        return merged_account(account, self.listings)

    def executed(self, account: AccountRows, proposal: Proposal) -> Executed:
        """A merged account after a proposal."""
        return executed(account, proposal, self.converter)

    def assess(self, accounts: Sequence[AccountRows]) -> list[Assessment]:
        """The margin of every account, computed as one shard.

        Raises
        ------
        NonFiniteError
            When a figure leaves the finite numbers.
        """
        book = self.book
        shard = book_of(accounts, book.market_rows, book.market)
        for number in self._units.held_by(shard):
            if number not in self._arrays:
                self._arrays[number] = stress_unit(book.market, self._units.units[number], book.parameters)
        margin = margin_shard(shard, book.market, book.parameters, self._units, self._arrays)
        return [Assessment(margin, number, book.parameters) for number in range(len(accounts))]


@dataclass(frozen=True)
class Situation:
    """A merged account before a step, and what margining says about it: all that a planner knows."""

    desk: Desk
    account: AccountRows
    now: Assessment

    def positions(self, unit: str | None = None) -> list[tuple[Listing, PositionRow]]:
        """The positions, or those of one risk unit, by unit and instrument."""
        listings = self.desk.listings
        held = [(listings[row.instrument], row) for row in self.account.positions]
        mine = [pair for pair in held if unit in (None, pair[0].unit)]
        return sorted(mine, key=lambda pair: (pair[0].unit, pair[0].id))
