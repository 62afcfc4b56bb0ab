"""Rows to engine values and back: the one crossing of Decimal and float64."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import msgspec

from accounts.documents import InstrumentDocument
from margin.engine.book import UNLIMITED, Book
from margin.engine.documents.account import (
    AccountRows,
    HedgeLimitRow,
    OrderRow,
    PositionRow,
    Side,
    read_hedge_mode,
)
from margin.engine.documents.book import book_of, check_priced, coins_of, currencies_of
from margin.engine.documents.market import MarketRows, read_market
from margin.engine.documents.schema import Faults
from margin.engine.errors import Fault
from margin.engine.fills import Contract
from margin.engine.hashing import canonical_json
from margin.engine.instruments import Kind, OptionType, Style
from margin.engine.parameters.library import Parameters

#: Decimal places of money at rest in results.
_CENTS_OF_CENTS = Decimal("0.00000001")


@dataclass(frozen=True)
class AccountInput:
    """One account's rows as the database keeps them; amounts are Decimal."""

    id: int
    code: str
    methodology: str
    hedge_mode: str | None
    ledger_position: int
    balances: Sequence[tuple[str, Decimal]]
    positions: Sequence[tuple[str, Decimal, Decimal]]
    orders: Sequence[tuple[str, str, Decimal, Decimal]]
    hedge_limits: Sequence[tuple[str, Decimal, Decimal | None]]

    def to_rows(self) -> AccountRows:
        """The engine's row form of the account."""
        faults = Faults()
        mode = read_hedge_mode(self.hedge_mode, self.methodology, f"accounts.{self.code}.hedge_mode", faults)
        faults.raise_if_any()
        return AccountRows(
            id=str(self.id),
            hedge_mode=mode,
            balances=dict(self.balances),
            positions=tuple(
                PositionRow(name, quantity, float(entry)) for name, quantity, entry in self.positions
            ),
            orders=tuple(
                OrderRow(name, Side(side), quantity, float(price))
                for name, side, quantity, price in self.orders
            ),
            hedge_limits={
                coin: HedgeLimitRow(float(ratio), UNLIMITED if most is None else float(most))
                for coin, ratio, most in self.hedge_limits
            },
        )


def contract_of(terms: InstrumentDocument) -> Contract:
    """The terms of an instrument that decide what a fill moves."""
    return Contract(
        kind=Kind(terms.kind),
        underlying=terms.underlying,
        settle=terms.settle,
        contract_size=terms.contract_size,
        style=None if terms.style is None else Style(terms.style),
        strike=terms.strike,
        option_type=None if terms.option_type is None else OptionType(terms.option_type),
    )


def account_faults(account: AccountRows, market: MarketRows, parameters: Parameters) -> tuple[Fault, ...]:
    """Why an account cannot be margined by this market and these parameters; empty when it can be."""
    faults = Faults()
    held: Sequence[PositionRow | OrderRow] = (*account.positions, *account.orders)
    for name in sorted({row.instrument for row in held}):
        place = market.places.get(name)
        if place is None:
            faults.add(name, "is held and not listed by the snapshot")
            continue
        expiry = market.instruments[place].expiry
        if expiry is not None and expiry <= market.as_of:
            faults.add(name, "has expired and is not settled yet")
    if not faults:
        check_priced(account, market, faults)
        coins = coins_of(account, market)
        parameters.check_covers(coins, currencies_of([account], market), faults)
    return faults.found


def shard_book(accounts: Sequence[AccountRows], market: MarketRows) -> Book:
    """The columnar book of a shard of accounts without faults."""
    return book_of(accounts, market, market.to_market())


def pack_market(market: Any) -> bytes:
    """A market object as stored: its canonical JSON, compressed."""
    return zlib.compress(canonical_json(market), level=6)


def unpack_market(content: bytes, as_of: datetime) -> MarketRows:
    """The market of a stored snapshot."""
    faults = Faults()
    rows = read_market(msgspec.json.decode(zlib.decompress(content)), as_of, "market", faults)
    faults.raise_if_any()
    assert rows is not None
    return rows


def market_document(content: bytes) -> Any:
    """The market object of a stored snapshot, as JSON values."""
    return msgspec.json.decode(zlib.decompress(content))


def requirement(value: float) -> Decimal:
    """A requirement as money: rounded up, against the account."""
    return Decimal(value).quantize(_CENTS_OF_CENTS, ROUND_CEILING)


def equity(value: float) -> Decimal:
    """An equity as money: rounded down, against the account."""
    return Decimal(value).quantize(_CENTS_OF_CENTS, ROUND_FLOOR)
