"""The listed derivatives as a planner needs them: what a contract moves, is worth and costs to trade."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from liquidation.planner.amounts import decimal_of, down
from margin.engine.documents.book import BookDocument
from margin.engine.exposures import exposures
from margin.engine.fills import Contract
from margin.engine.instruments import Group, Instrument, Kind, microseconds
from margin.engine.market import STABLE_CURRENCIES
from margin.engine.parameters.common import ANY
from margin.engine.units import Partition, RiskUnit


@dataclass(frozen=True, eq=False)
class Listing:
    """One instrument.

    Attributes
    ----------
    unit : name of its risk unit.
    delta, cash_delta : of one long contract, in coins and in USD.
    worth_usd : of one contract, what the smallest order is measured by: a future's notional at mark, an
        option's premium.
    cost_usd : of trading one contract.
    settle_usd : USD price of the settlement currency.
    """

    instrument: Instrument
    contract: Contract
    unit: str
    group: Group
    delta: float
    cash_delta: float
    mark: Decimal
    worth_usd: Decimal
    cost_usd: Decimal
    settle_usd: Decimal

    @property
    def id(self) -> str:
        return self.instrument.id

    @property
    def is_option(self) -> bool:
        return self.instrument.kind is Kind.OPTION


class Listings:
    """The derivatives of a book's market that are alive, by id and by risk unit."""

    def __init__(self, book: BookDocument, units: Partition) -> None:
        self._book = book
        self.units = {unit.name: unit for unit in units.units}
        self._unit_of = [units.units[number].name for number in units.unit_of]
        self._place = book.market.places
        self._known: dict[str, Listing] = {}

    @cached_property
    def _deltas(self) -> tuple[list[float], list[float]]:
        found = exposures(self._book.market)
        return [float(x) for x in found.delta], [float(x) for x in found.cash_delta]

    def __getitem__(self, name: str) -> Listing:
        if name not in self._known:
            self._known[name] = self._listing(name)
        return self._known[name]

    def usd(self, currency: str) -> Decimal:
        """USD price of a currency."""
        return decimal_of(self._book.market.usd_price(currency))

    def usable(self, currency: str) -> bool:
        """Whether market and parameters price a currency that the account need not hold yet."""
        market, parameters = self._book.market, self._book.parameters
        if currency in STABLE_CURRENCIES:
            priced = currency == "USD" or currency in market.fx
        else:
            priced = f"{currency}-USD" in market.index
        tables = (parameters.discount, parameters.borrow)
        return priced and all(currency in table or ANY in table for table in tables)

    def hedge(self, unit: str, group: Group | None = None) -> Listing | None:
        """The unit's (or, within it, the group's) hedge instrument.

        Its perpetual settled in USDT, else in USDC, else in the coin; else its nearest future; None where
        nothing is listed. Perpetuals of one settlement and futures of one expiry go by their id.
        """
        return min(self._futures(self.units[unit], group), key=_as_hedge, default=None)

    def _futures(self, unit: RiskUnit, group: Group | None) -> Iterable[Listing]:
        table = self._book.market.instruments
        for place in unit.members[~table.option[unit.members]]:
            if group in (None, Group(int(table.group[place]))) and self.usable(table.settle[place]):
                yield self[table.ids[place]]

    def _listing(self, name: str) -> Listing:
        rows, place = self._book.market_rows, self._place[name]
        instrument = rows.instruments[rows.places[name]]
        assert instrument.mark is not None
        delta, cash_delta = self._deltas
        worth, cost = self._worth_and_cost(instrument)
        return Listing(
            instrument=instrument,
            contract=Contract.of(instrument),
            unit=self._unit_of[place],
            group=Group.of(instrument.settle),
            delta=delta[place],
            cash_delta=cash_delta[place],
            mark=down(decimal_of(instrument.mark)),
            worth_usd=worth,
            cost_usd=cost,
            settle_usd=self.usd(instrument.settle),
        )

    def _worth_and_cost(self, instrument: Instrument) -> tuple[Decimal, Decimal]:
        """USD of one contract: what it is worth, and what trading it costs (spec 50, section 3)."""
        rules, contract = self._book.parameters.liquidation, Contract.of(instrument)
        mark, fx = decimal_of(instrument.mark or 0.0), self.usd(Group.of(instrument.settle).name)
        if instrument.kind is not Kind.OPTION:
            notional = contract.contract_size * (1 if contract.is_inverse_future else mark * fx)
            return notional, notional * decimal_of(rules.futures_cost)
        coin_settled = instrument.settle == instrument.underlying
        value = mark * self.usd(instrument.underlying) if coin_settled else mark
        index = self._book.market.pair_index(instrument.underlying, Group.of(instrument.settle))
        cost = decimal_of(rules.option_premium_cost) * value
        cost += decimal_of(rules.option_notional_cost) * decimal_of(index)
        scale = contract.contract_size * fx
        return value * scale, min(cost, value) * scale


def _as_hedge(listing: Listing) -> tuple[bool, int, str]:
    """Sort key: perpetuals by settlement, then futures by expiry; then the id."""
    expiry = listing.instrument.expiry
    if expiry is None:
        return False, int(listing.group), listing.id
    return True, microseconds(expiry), listing.id
