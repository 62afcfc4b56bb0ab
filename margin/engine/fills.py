"""What a trade does to a position and to cash, exactly: account fills, settlements and planned steps agree.

Amounts are Decimal and products are exact. What has to be rounded (a quotient, or more than 18 decimal
places) is rounded to 18 places against the account: cash down, the entry price of a long up and of a short
down. So equity at the fill's price never rises by a fill, and falls by its fee and less than a rounding unit
of cash and of entry.

Sources: spec 50, section 3 (fills), spec 40, section 5 (settlement), spec 01, section 5 (P&L).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, Inexact, InvalidOperation, Overflow
from typing import Final, Self

from margin.engine.instruments import Instrument, Kind, OptionType, Style

#: Places of an amount at rest.
UNIT: Final = Decimal("1e-18")
ZERO: Final = Decimal(0)

#: Three amounts of 38 digits multiply exactly; a quotient keeps as many digits, rounded down.
_WIDE: Final = Context(prec=120, rounding=ROUND_FLOOR, traps=[InvalidOperation, Overflow])
_EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, slots=True)
class Contract:
    """The terms that decide what a fill moves; the last two are those of options only."""

    kind: Kind
    underlying: str
    settle: str
    contract_size: Decimal = Decimal(1)
    style: Style | None = None
    strike: Decimal | None = None
    option_type: OptionType | None = None

    @classmethod
    def of(cls, instrument: Instrument) -> Self:
        """The terms of an instrument as a document describes it, its numbers as their shortest decimals."""
        return cls(
            kind=instrument.kind,
            underlying=instrument.underlying,
            settle=instrument.settle,
            contract_size=Decimal(repr(instrument.contract_size)),
            style=instrument.style,
            strike=None if instrument.strike is None else Decimal(repr(instrument.strike)),
            option_type=instrument.option_type,
        )

    @property
    def is_inverse_future(self) -> bool:
        """A perpetual or future whose contracts are USD amounts; an option never is."""
        return self.style is Style.INVERSE and self.kind is not Kind.OPTION


@dataclass(frozen=True, slots=True)
class Holding:
    """A position: signed contracts and their average entry price."""

    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade: signed quantity (a purchase is positive), price, and a fee (negative for a rebate)."""

    quantity: Decimal
    price: Decimal
    fee: Decimal = ZERO
    fee_currency: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """The position after a trade, and the change of cash by currency."""

    holding: Holding
    cash: Mapping[str, Decimal] = field(default_factory=dict)


def merged(contract: Contract, rows: Iterable[Holding], mark: Decimal) -> Effect:
    """Rows of one instrument as one position; of opposite rows the smaller side is realised at `mark`.

    Rows of one side are averaged as an increase is. Equity at `mark` does not change (but for rounding):
    the cash holds the P&L of both sides over the quantity that cancels out. Options move no cash, since
    their P&L is in their value.
    """
    long, short = Holding(), Holding()
    for row in rows:
        if row.quantity > 0:
            long = _increased(contract, long, row.quantity, row.entry_price)
        elif row.quantity < 0:
            short = _increased(contract, short, row.quantity, row.entry_price)
    larger, smaller = (long, short) if long.quantity >= -short.quantity else (short, long)
    rest = _EXACT.add(larger.quantity, smaller.quantity)
    holding = Holding(rest, larger.entry_price) if rest else Holding()
    if contract.kind is Kind.OPTION or not smaller.quantity:
        return Effect(holding)
    sides = (smaller, Holding(smaller.quantity.copy_negate(), larger.entry_price))
    realised = sum((_profit(contract, side, mark) for side in sides), ZERO)
    return Effect(holding, {contract.settle: realised})


def filled(contract: Contract, held: Holding, fill: Fill) -> Effect:
    """The position and the cash after a fill of `contract`, with `held` before it.

    - Perpetual, future: what the fill closes turns its P&L against entry into cash of the settle currency,
      and the rest keeps its entry; an increase is averaged in (linear: by quantity, inverse: so that the
      unrealised P&L stays); what crosses zero opens at the fill's price.
    - Option: cash changes by -quantity * contract_size * price; entries average as linear ones do.
    - Spot: the base currency gains the quantity, the quote currency pays for it; `held` stays as it is.
    """
    match contract.kind:
        case Kind.SPOT:
            holding, cash = held, _exchanged(contract, fill)
        case Kind.OPTION:
            size = _EXACT.multiply(fill.quantity, contract.contract_size)
            holding = _traded(contract, held, fill)
            cash = {contract.settle: _down(_EXACT.multiply(size.copy_negate(), fill.price))}
        case _:
            closed = _closed_by(held.quantity, fill.quantity)
            holding = _traded(contract, held, fill)
            cash = {contract.settle: _profit(contract, Holding(closed, held.entry_price), fill.price)}
    return Effect(holding, _charged(cash, fill))


def settled(contract: Contract, held: Holding, price: Decimal) -> Effect:
    """What expiry makes of a position when the underlying settles at `price` in the quote currency (USD
    where the contract settles in the coin): a future's P&L, or an option's intrinsic value, in cash.
    """
    if contract.kind is Kind.OPTION:
        return Effect(Holding(), _settlement_cash(contract, held, intrinsic_value(contract, price)))
    return filled(contract, held, Fill(held.quantity.copy_negate(), price))


def intrinsic_value(contract: Contract, price: Decimal) -> Decimal:
    """An option's intrinsic value for one coin, in its settle currency, with the underlying at `price`."""
    assert contract.strike is not None and contract.option_type is not None
    gain = _EXACT.subtract(price, contract.strike)
    quote = max(ZERO, gain if contract.option_type is OptionType.CALL else -gain)
    return _WIDE.divide(quote, price) if contract.style is Style.INVERSE else quote


def _settlement_cash(contract: Contract, held: Holding, value: Decimal) -> dict[str, Decimal]:
    size = _EXACT.multiply(held.quantity, contract.contract_size)
    paid = _down(_WIDE.multiply(size, value))
    return {contract.settle: paid} if paid else {}


def _traded(contract: Contract, held: Holding, fill: Fill) -> Holding:
    quantity = _EXACT.add(held.quantity, fill.quantity)
    if not quantity:
        return Holding()
    if held.quantity * fill.quantity >= 0:
        return _increased(contract, held, fill.quantity, fill.price)
    crossed = (quantity > 0) != (held.quantity > 0)
    return Holding(quantity, fill.price if crossed else held.entry_price)


def _closed_by(held: Decimal, traded: Decimal) -> Decimal:
    """The signed part of a position that a trade of `traded` closes; 0 when it only adds."""
    if (held > 0) == (traded > 0):
        return ZERO
    return held if abs(held) <= abs(traded) else -traded


def _increased(contract: Contract, held: Holding, quantity: Decimal, price: Decimal) -> Holding:
    """A position grown by `quantity` of its own sign (or opened) at `price`."""
    total = _EXACT.add(held.quantity, quantity)
    if not held.quantity or held.entry_price == price:
        return Holding(total, price)
    rounding = ROUND_CEILING if total > 0 else ROUND_FLOOR
    return Holding(total, _averaged(contract, held, quantity, price).quantize(UNIT, rounding, _WIDE))


def _averaged(contract: Contract, held: Holding, quantity: Decimal, price: Decimal) -> Decimal:
    """The mean of two entries by quantity: arithmetic, and harmonic for an inverse contract."""
    total = _EXACT.add(held.quantity, quantity)
    if contract.is_inverse_future:
        ends = _EXACT.multiply(held.entry_price, price)
        crossed = _weighted(held.quantity, price, quantity, held.entry_price)
        return _WIDE.divide(_WIDE.multiply(total, ends), crossed)
    return _WIDE.divide(_weighted(held.quantity, held.entry_price, quantity, price), total)


def _weighted(first: Decimal, by_first: Decimal, second: Decimal, by_second: Decimal) -> Decimal:
    return _EXACT.add(_EXACT.multiply(first, by_first), _EXACT.multiply(second, by_second))


def _profit(contract: Contract, held: Holding, price: Decimal) -> Decimal:
    """P&L of a perpetual or future closed at `price`, in its settle currency, rounded down.

    Linear n (price - entry), inverse n (1/entry - 1/price).
    """
    if not held.quantity:
        return ZERO
    size = _EXACT.multiply(held.quantity, contract.contract_size)
    moved = _EXACT.multiply(size, _EXACT.subtract(price, held.entry_price))
    if contract.is_inverse_future:
        moved = _WIDE.divide(moved, _EXACT.multiply(held.entry_price, price))
    return _down(moved)


def _exchanged(contract: Contract, fill: Fill) -> dict[str, Decimal]:
    paid = _down(_EXACT.multiply(fill.quantity.copy_negate(), fill.price))
    return {contract.underlying: fill.quantity, contract.settle: paid}


def _charged(cash: dict[str, Decimal], fill: Fill) -> dict[str, Decimal]:
    """The cash with the fee taken off, without the currencies that do not change."""
    if fill.fee:
        before = cash.get(fill.fee_currency, ZERO)
        cash = {**cash, fill.fee_currency: _EXACT.subtract(before, fill.fee)}
    return {currency: amount for currency, amount in cash.items() if amount}


def _down(amount: Decimal) -> Decimal:
    return amount.quantize(UNIT, ROUND_FLOOR, _WIDE)
