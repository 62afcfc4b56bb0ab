"""What an account holds in each risk unit, position by position, in the figures that venues print. Pure."""

from dataclasses import dataclass

from margin.engine.documents.book import BookDocument
from margin.engine.exposures import exposures
from margin.engine.instruments import Instrument, Style
from margin.engine.methodologies.terms import HOURS_PER_DAY, Terms
from margin.engine.pipeline import partition
from margin.engine.units import RiskUnit


@dataclass(frozen=True, slots=True)
class Held:
    """A position as it was given.

    Attributes
    ----------
    member : its place in the risk unit.
    notional_usd : at the index, unsigned.
    cash_delta, theta, vega : USD; theta over a day, vega a vol point.
    gamma : coins of delta per unit of quote currency.
    """

    instrument: Instrument
    member: int
    quantity: float
    entry: float
    notional_usd: float
    cash_delta: float
    gamma: float
    theta: float
    vega: float

    @property
    def mark(self) -> float:
        return self.instrument.mark or 0.0

    @property
    def upl(self) -> float:
        """Unrealised P&L in the settlement currency."""
        instrument = self.instrument
        size = self.quantity * instrument.contract_size
        if instrument.style is Style.INVERSE and instrument.strike is None:
            return size * (1.0 / self.entry - 1.0 / self.mark)
        return size * (self.mark - self.entry)


@dataclass(frozen=True)
class Holdings:
    """A risk unit and what is held in it, in the order of the book."""

    unit: RiskUnit
    positions: list[Held]


def holdings_by_unit(book: BookDocument) -> dict[str, Holdings]:
    """The positions of a book by the name of their risk unit."""
    market, lots, units = book.market, book.book.lots, partition(book.market, book.parameters)
    rows = {row.id: row for row in book.market_rows.instruments}
    long = exposures(market)
    decay = {
        number: Terms.of(market, units.units[number]).decay(HOURS_PER_DAY)[:, 0].tolist()
        for number in units.held_by(book.book)
    }
    found: dict[str, Holdings] = {}
    for place, quantity, entry in zip(
        lots.instrument.tolist(), lots.quantity.tolist(), lots.entry.tolist(), strict=True
    ):
        number, member = int(units.unit_of[place]), int(units.local_of[place])
        held = Held(
            instrument=rows[market.instruments.ids[place]],
            member=member,
            quantity=quantity,
            entry=entry,
            notional_usd=float(abs(quantity) * market.index_notional[place]),
            cash_delta=float(quantity * long.cash_delta[place]),
            gamma=float(quantity * long.gamma[place]),
            theta=float(quantity * decay[number][member]),
            vega=float(quantity * long.vega[place]),
        )
        unit = units.units[number]
        found.setdefault(unit.name, Holdings(unit, [])).positions.append(held)
    return found
