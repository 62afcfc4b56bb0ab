"""An account's rows back out of the columnar book that a run kept."""

from collections.abc import Iterator
from decimal import Decimal

from margin.engine.book import Book, HedgeMode
from margin.engine.documents.account import AccountRows, HedgeLimitRow, OrderRow, PositionRow, Side
from margin.engine.documents.market import MarketRows
from margin.engine.instruments import Kind


def restored_rows(book: Book, market: MarketRows, names: tuple[str, ...]) -> AccountRows:
    """The rows of a book of one account, of which `book_of` makes the same book again.

    Parameters
    ----------
    names : ids of the instruments by the number that the book has for them.
    """
    codes = book.currencies
    return AccountRows(
        id=book.ids[0],
        hedge_mode=HedgeMode(int(book.hedge_mode[0])),
        balances={
            codes[currency]: _exact(amount)
            for currency, amount in zip(book.balances.currency, book.balances.amount, strict=True)
        },
        positions=tuple(
            PositionRow(names[place], _exact(quantity), float(entry))
            for place, quantity, entry in zip(
                book.lots.instrument, book.lots.quantity, book.lots.entry, strict=True
            )
        ),
        orders=(*_orders(book, names), *_spot_orders(book, market)),
        hedge_limits={
            codes[currency]: HedgeLimitRow(float(ratio), float(most))
            for currency, ratio, most in zip(
                book.hedge_limits.currency, book.hedge_limits.ratio, book.hedge_limits.max_amount, strict=True
            )
        },
    )


def _orders(book: Book, names: tuple[str, ...]) -> Iterator[OrderRow]:
    rows = book.orders
    for place, quantity, price in zip(rows.instrument, rows.quantity, rows.price, strict=True):
        yield _order(names[place], quantity, price)


def _spot_orders(book: Book, market: MarketRows) -> Iterator[OrderRow]:
    """The book knows the currencies of a spot order only; any instrument of the pair margins alike."""
    pairs = {(row.underlying, row.settle): row.id for row in market.instruments if row.kind is Kind.SPOT}
    rows, codes = book.spot_orders, book.currencies
    for base, quote, quantity, price in zip(rows.base, rows.quote, rows.quantity, rows.price, strict=True):
        yield _order(pairs[codes[base], codes[quote]], quantity, price)


def _order(name: str, quantity: float, price: float) -> OrderRow:
    return OrderRow(name, Side.BUY if quantity > 0.0 else Side.SELL, _exact(abs(quantity)), float(price))


def _exact(value: float) -> Decimal:
    """The shortest decimal that stands for a float64."""
    return Decimal(repr(float(value)))
