"""Margin of a few accounts at once, as they stand, stood or would stand, by risk arrays that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from margin import selectors
from margin.assembly import AccountInput, account_faults, shard_book
from margin.engine.book import Book
from margin.engine.documents.account import AccountRows
from margin.engine.documents.market import MarketRows
from margin.engine.errors import NonFiniteError
from margin.engine.market import Market
from margin.engine.parameters.library import Parameters
from margin.engine.pipeline import margin_shard, partition
from margin.engine.results import ShardMargin
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition
from margin.models import MarketSnapshot
from margin.services.arrays import unit_arrays
from margin.services.reading import account_inputs
from pmplatform.common.errors import Refused

BYBIT = "bybit-uta"


@dataclass(frozen=True, eq=False)
class Margining:
    """One version of a methodology's parameters at one snapshot.

    Risk arrays are read, or computed, when first needed and kept for further accounts.
    """

    snapshot: MarketSnapshot
    rows: MarketRows
    market: Market
    parameters: Parameters
    units: Partition
    arrays: dict[int, RiskArrays] = field(default_factory=dict)

    @property
    def methodology(self) -> str:
        return self.parameters.header.methodology

    def margin(self, accounts: Sequence[AccountRows]) -> ShardMargin:
        """The margin of the accounts, in their order.

        Raises
        ------
        Refused
            When one cannot be margined: what it holds has expired, is not listed or not priced.
        """
        for account in accounts:
            if faults := account_faults(account, self.rows, self.parameters):
                raise Refused(["The account cannot be margined now.", *map(str, faults)])
        try:
            return self.margin_book(shard_book(accounts, self.rows))
        except NonFiniteError as error:
            raise Refused([str(error)]) from error

    def margin_book(self, book: Book) -> ShardMargin:
        """The margin of a book without faults; NonFiniteError when a figure leaves the finite numbers."""
        held = {number: self._arrays_of(number) for number in self.units.held_by(book)}
        return margin_shard(book, self.market, self.parameters, self.units, held)

    def _arrays_of(self, number: int) -> RiskArrays:
        if number not in self.arrays:
            self.arrays[number] = unit_arrays(
                snapshot=self.snapshot,
                market=self.market,
                unit=self.units.units[number],
                parameters=self.parameters,
            )
        return self.arrays[number]


@lru_cache(maxsize=8)
def margining_by(*, snapshot: int, version: int) -> Margining:
    """A parameter version at a snapshot; neither ever changes, so a process keeps the last few."""
    found = selectors.snapshot_get(snapshot)
    rows, parameters = selectors.snapshot_market(snapshot), selectors.parameters_read(version)
    market = rows.to_market()
    return Margining(found, rows, market, parameters, partition(market, parameters))


def margining(*, methodology: str) -> Margining:
    """The newest snapshot and the methodology's parameters in force then; Refused where one is missing."""
    snapshot = selectors.snapshot_latest()
    if snapshot is None:
        raise Refused(["There is no market snapshot to margin by."])
    return margining_at(methodology=methodology, snapshot=snapshot)


def margining_at(*, methodology: str, snapshot: MarketSnapshot) -> Margining:
    """A snapshot and the methodology's parameters in force then; Refused where there are none."""
    version = selectors.parameters_in_force(methodology, snapshot.as_of)
    if version is None:
        raise Refused([f"{methodology} has no parameters in force."])
    return margining_by(snapshot=snapshot.pk, version=version.pk)


def account_input(account_id: int) -> AccountInput:
    """What margin reads of an account, as this transaction sees it."""
    [account] = account_inputs([account_id])
    return account


def initial_margin_covered(shard: ShardMargin, methodology: str) -> npt.NDArray[np.bool_]:
    """(A,) whether adjusted equity covers the initial margin; bybit-uta: whether `imr_rate` is within 1."""
    figures = shard.accounts
    if methodology == BYBIT:
        # A rate is NaN where the equity base is not positive.
        return np.asarray((figures.imr_rate <= 1.0) | (figures.imr == 0.0))
    return np.asarray(figures.adjusted_equity >= figures.imr)
