"""The book document as a whole, and its crossing into engine values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

import numpy as np

from margin.engine.book import Balances, Book, HedgeLimits, Lots, Orders, Positions, SpotOrders
from margin.engine.documents.account import AccountRows, OrderRow, PositionRow, read_account
from margin.engine.documents.market import SIZE_CEILING, MarketRows, read_market
from margin.engine.documents.schema import Faults, Instant, Record, Spec, Text
from margin.engine.instruments import Instrument, Kind
from margin.engine.market import STABLE_CURRENCIES, Market
from margin.engine.parameters.library import METHODOLOGIES, Library, Parameters

#: Decimal digits kept while rows of one instrument are added up: ample for every float64 input.
_SUM_PRECISION: Final = 700


@dataclass(frozen=True, slots=True)
class Anything:
    """Passes the value on; it is read later, when more is known."""

    def read(self, value: Any, path: str, faults: Faults) -> Any:
        return value


_HEAD: Final[dict[str, Spec]] = {
    "as_of": Instant(),
    "methodology": Text(METHODOLOGIES),
    "market": Anything(),
    "account": Anything(),
}
_SHAPE: Final = Record(_HEAD, {"parameters": (Anything(), None)})


@dataclass(frozen=True)
class BookDocument:
    """A checked book document: one account, its market, and the parameters it is to be margined by."""

    as_of: datetime
    methodology: str
    parameters: Parameters
    market_rows: MarketRows
    account_rows: AccountRows
    market: Market
    book: Book


def read_book(document: Any, library: Library) -> BookDocument:
    """Read and check a book document.

    Raises
    ------
    DocumentError
        With the path of every fault found.
    """
    faults = Faults()
    head = _SHAPE.read(document, "", faults)
    faults.raise_if_any()
    market_rows = read_market(head["market"], head["as_of"], "market", faults)
    faults.raise_if_any()
    assert market_rows is not None
    account = read_account(head["account"], head["methodology"], market_rows, "account", faults)
    faults.raise_if_any()
    assert account is not None
    check_account(account, market_rows)
    parameters = library.select(head["parameters"], head["methodology"], head["as_of"])
    return assemble(parameters, market_rows, account, market_rows.to_market())


def check_account(account: AccountRows, market: MarketRows) -> None:
    """DocumentError with what an account as a whole holds out of bounds or without a price."""
    faults = Faults()
    _check_sums(account, market, faults)
    check_priced(account, market, faults)
    faults.raise_if_any()


def assemble(
    parameters: Parameters, market_rows: MarketRows, account: AccountRows, market: Market
) -> BookDocument:
    """A checked account under the given parameters; DocumentError where they do not price what it holds."""
    faults = Faults()
    book = book_of([account], market_rows, market)
    parameters.check_covers(coins_of(account, market_rows), book.currencies, faults)
    faults.raise_if_any()
    name = parameters.header.methodology
    return BookDocument(market.as_of, name, parameters, market_rows, account, market, book)


def named_instruments(account: AccountRows, market: MarketRows) -> list[Instrument]:
    """The instruments that the account's positions and orders name."""
    rows: Sequence[PositionRow | OrderRow] = (*account.positions, *account.orders)
    return [market.instrument(row.instrument) for row in rows]


def coins_of(account: AccountRows, market: MarketRows) -> list[str]:
    """The underlyings of the account's derivatives, sorted."""
    return sorted({row.underlying for row in named_instruments(account, market) if row.kind is not Kind.SPOT})


def check_priced(account: AccountRows, market: MarketRows, faults: Faults) -> None:
    """A fault for every index and stable rate that the account's holdings need and the market lacks."""
    in_use = set(account.balances)
    for row in named_instruments(account, market):
        in_use |= {row.underlying, row.settle}
    for currency in sorted(in_use):
        if currency in STABLE_CURRENCIES:
            if currency != "USD" and currency not in market.fx:
                faults.add(f"market.fx.{currency}", f"is required: {currency} is in use")
        elif f"{currency}-USD" not in market.index:
            faults.add(f"market.index.{currency}-USD", f"is required: {currency} is in use")


def _check_sums(account: AccountRows, market: MarketRows, faults: Faults) -> None:
    """The bound on one position holds for the sum of an instrument's rows, too."""
    for name, quantity in _merged(account.positions).items():
        size = abs(float(quantity) * market.instruments[market.places[name]].contract_size)
        if size > SIZE_CEILING:
            place = next(i for i, row in enumerate(account.positions) if row.instrument == name)
            faults.add(
                f"account.positions[{place}].quantity",
                f"the rows of {name} add up to more than {SIZE_CEILING:g}",
            )


def _merged(positions: Sequence[PositionRow]) -> dict[str, Decimal]:
    """Quantity by instrument, the rows of each added up in decimal."""
    sums: dict[str, Decimal] = {}
    with localcontext(prec=_SUM_PRECISION):
        for row in positions:
            sums[row.instrument] = sums.get(row.instrument, Decimal(0)) + row.quantity
    return sums


def add_exactly(first: Decimal, second: Decimal) -> Decimal:
    """The sum of two amounts that each fit a float64."""
    with localcontext(prec=_SUM_PRECISION):
        return first + second


def book_of(accounts: Sequence[AccountRows], listed: MarketRows, market: Market) -> Book:
    """The columnar book of the accounts; what they hold is `listed`, and alive in `market`."""
    currencies = currencies_of(accounts, listed)
    currency = {code: i for i, code in enumerate(currencies)}
    place = market.places
    balances = sorted(
        (a, currency[code], float(amount))
        for a, rows in enumerate(accounts)
        for code, amount in rows.balances.items()
    )
    merged = sorted(
        (a, place[name], float(quantity))
        for a, rows in enumerate(accounts)
        for name, quantity in _merged(rows.positions).items()
    )
    lots = [
        (a, place[row.instrument], float(row.quantity), row.entry_price)
        for a, rows in enumerate(accounts)
        for row in rows.positions
    ]
    orders = [(a, row) for a, rows in enumerate(accounts) for row in rows.orders]
    derivative_orders = [
        (a, place[row.instrument], _signed(row), row.price) for a, row in orders if row.instrument in place
    ]
    spot_orders = [
        (a, currency[pair.underlying], currency[pair.settle], _signed(row), row.price)
        for a, row in orders
        if (pair := listed.instrument(row.instrument)).kind is Kind.SPOT
    ]
    limits = [
        (a, currency[coin], limit.ratio, limit.max_amount)
        for a, rows in enumerate(accounts)
        for coin, limit in rows.hedge_limits.items()
    ]
    return Book(
        ids=tuple(rows.id for rows in accounts),
        hedge_mode=np.array([rows.hedge_mode for rows in accounts], dtype=np.int8),
        currencies=currencies,
        balances=Balances(*_columns(balances, "iif")),
        positions=Positions(*_columns(merged, "iif")),
        lots=Lots(*_columns(lots, "iiff")),
        orders=Orders(*_columns(derivative_orders, "iiff")),
        spot_orders=SpotOrders(*_columns(spot_orders, "iiiff")),
        hedge_limits=HedgeLimits(*_columns(limits, "iiff")),
    )


def _signed(order: OrderRow) -> float:
    return order.side.sign * float(order.quantity)


def currencies_of(accounts: Sequence[AccountRows], listed: MarketRows) -> tuple[str, ...]:
    """Every currency that a balance, a held instrument or a hedge limit names, sorted."""
    codes: set[str] = set()
    for rows in accounts:
        codes.update(rows.balances, rows.hedge_limits)
        for instrument in named_instruments(rows, listed):
            codes.add(instrument.settle)
            codes.add(instrument.underlying)
    return tuple(sorted(codes))


def _columns(rows: Sequence[tuple[float, ...]], kinds: str) -> list[Any]:
    """Columns of equal-length rows: `i` for int32, `f` for float64."""
    types = {"i": np.int32, "f": np.float64}
    return [np.array([row[i] for row in rows], dtype=types[kind]) for i, kind in enumerate(kinds)]
