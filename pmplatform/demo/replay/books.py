"""Conservation, step by step: what all accounts and the insurance fund hold together, and what may change it.

At the marks of one market nothing that liquidation does creates or destroys value: contracts change by what
was filled, and the equity in each currency by fees, by conversions, and by fills away from the mark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from accounts import selectors as accounts
from accounts.choices import OrderSide
from liquidation import selectors as liquidation
from margin.engine.documents.market import MarketRows
from margin.engine.fills import ZERO, Contract, Fill, Holding, filled
from pmplatform.common.decimals import EXACT

Amounts = dict[str, Decimal]
#: Instrument, contracts, entry price.
Row = tuple[str, Decimal, Decimal]

_CASH: Final = "cash:"
_CONTRACTS: Final = "contracts:"


@dataclass(frozen=True)
class Prices:
    """The marks of a market as the ledger counts with them."""

    market: MarketRows

    def contract(self, name: str) -> Contract:
        return Contract.of(self.market.instruments[self.market.places[name]])

    def mark(self, name: str) -> Decimal:
        return Decimal(repr(self.market.instruments[self.market.places[name]].mark))

    def usd(self, currency: str) -> Decimal:
        """USD price of a currency."""
        if currency == "USD":
            return Decimal(1)
        known = self.market.fx.get(currency) or self.market.index[f"{currency}-USD"]
        return Decimal(repr(known))


def holdings(balances: Iterable[tuple[str, Decimal]], positions: Iterable[Row], prices: Prices) -> Amounts:
    """Equity at mark by currency (`cash:USDT`), and contracts by instrument (`contracts:BTC-USDT-SWAP`)."""
    held: Amounts = {}
    for currency, amount in balances:
        _add(held, _CASH + currency, amount)
    for name, quantity, entry in positions:
        _add(held, _CONTRACTS + name, quantity)
        closed = filled(prices.contract(name), Holding(quantity, entry), Fill(-quantity, prices.mark(name)))
        for currency, amount in closed.cash.items():
            _add(held, _CASH + currency, amount)
    return held


def accounts_hold(ids: Sequence[int], prices: Prices) -> Amounts:
    """What the accounts hold together."""
    balances = [(currency, amount) for _, currency, amount in accounts.balance_rows(ids)]
    return holdings(balances, [row[1:] for row in accounts.position_rows(ids)], prices)


def fund_holds(prices: Prices) -> Amounts:
    """What the insurance fund holds."""
    rows = [(row.instrument.code, row.quantity, row.entry_price) for row in liquidation.fund_positions()]
    return holdings(liquidation.fund_balances().values_list("currency", "amount"), rows, prices)


def added(first: Mapping[str, Decimal], second: Mapping[str, Decimal]) -> Amounts:
    """Both together."""
    total = dict(first)
    for subject, amount in second.items():
        _add(total, subject, amount)
    return total


def worth_usd(held: Mapping[str, Decimal], prices: Prices) -> Decimal:
    """Equity over all currencies, USD."""
    equity = {name.removeprefix(_CASH): amount for name, amount in held.items() if name.startswith(_CASH)}
    return sum((amount * prices.usd(currency) for currency, amount in equity.items()), ZERO)


def moved_by(steps: Iterable[Any], prices: Prices) -> Amounts:
    """What done steps may have changed in what everybody holds: by their fills and their conversions."""
    moved: Amounts = {}
    for step in steps:
        for order in step.orders.all():
            for each in order.fills.all():
                _fill(moved, order.instrument.code, each.fill, prices)
        for pair in step.conversions:
            _add(moved, _CASH + pair["sell"], -Decimal(pair["amount"]))
            _add(moved, _CASH + pair["buy"], Decimal(pair["received"]))
    return moved


def _fill(moved: Amounts, name: str, fill: Any, prices: Prices) -> None:
    """A fill opens contracts at its price, which are worth nothing but for the distance to the mark."""
    signed = fill.quantity if fill.side == OrderSide.BUY else -fill.quantity
    _add(moved, _CONTRACTS + name, signed)
    contract = prices.contract(name)
    opened = filled(contract, Holding(), Fill(signed, fill.price, fill.fee, fill.fee_currency))
    closed = filled(contract, opened.holding, Fill(-signed, prices.mark(name)))
    for cash in (opened.cash, closed.cash):
        for currency, amount in cash.items():
            _add(moved, _CASH + currency, amount)


def unexplained_usd(before: Amounts, after: Amounts, moved: Amounts, prices: Prices) -> Decimal:
    """The most that any holding has changed by without a reason, USD; contracts at their mark's value."""
    worst = ZERO
    for subject in before.keys() | after.keys() | moved.keys():
        change = EXACT.subtract(after.get(subject, ZERO), before.get(subject, ZERO))
        rest = abs(EXACT.subtract(change, moved.get(subject, ZERO)))
        worst = max(worst, rest and rest * _unit_usd(subject, prices))
    return worst


def _unit_usd(subject: str, prices: Prices) -> Decimal:
    """USD of one unit: of a currency, or of the underlying of a contract."""
    if subject.startswith(_CASH):
        return prices.usd(subject.removeprefix(_CASH))
    contract = prices.contract(subject.removeprefix(_CONTRACTS))
    return contract.contract_size * (1 if contract.is_inverse_future else prices.usd(contract.underlying))


def _add(amounts: Amounts, subject: str, amount: Decimal) -> None:
    amounts[subject] = EXACT.add(amounts.get(subject, ZERO), amount)
