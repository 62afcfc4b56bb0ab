"""What a step does to an account, by the rules of `margin.engine.fills` (spec 50, section 3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from liquidation.planner.amounts import ZERO, decimal_of, down, up
from liquidation.planner.listings import Listing, Listings
from liquidation.planner.plan import Conversion, Trade
from liquidation.planner.proposals import Converter, Exchange, Proposal
from margin.engine.documents.account import AccountRows, PositionRow, Side
from margin.engine.fills import Effect, Fill, Holding, filled, merged


@dataclass(frozen=True)
class Executed:
    """The account after a step, and what the step did."""

    account: AccountRows
    trades: tuple[Trade, ...]
    conversions: tuple[Conversion, ...]
    cancelled: int
    cost_usd: Decimal


def merged_account(account: AccountRows, listings: Listings) -> AccountRows:
    """The account with one row per instrument, and nothing finer than the ledger's places."""
    rows: dict[str, list[Holding]] = {}
    for row in account.positions:
        rows.setdefault(row.instrument, []).append(_holding(row))
    balances = {currency: down(amount) for currency, amount in account.balances.items()}
    holdings: dict[str, Holding] = {}
    for name, parts in rows.items():
        effect = Effect(parts[0]) if len(parts) == 1 else _merged(listings[name], parts)
        holdings[name] = effect.holding
        _add(balances, effect.cash)
    return _account(account, balances, holdings)


def executed(account: AccountRows, proposal: Proposal, converter: Converter) -> Executed:
    """A merged account after a proposal."""
    balances = dict(account.balances)
    holdings = {row.instrument: _holding(row) for row in account.positions}
    trades = tuple(_trade(balances, holdings, *trade) for trade in proposal.trades)
    conversions = tuple(_convert(balances, exchange, converter) for exchange in proposal.exchanges)
    fees = sum((converter.cost_usd(exchange) for exchange in proposal.exchanges), ZERO)
    after = _account(account, balances, holdings)
    cancelled = len(account.orders) if proposal.cancels else 0
    return Executed(
        account=replace(after, orders=()) if proposal.cancels else after,
        trades=trades,
        conversions=conversions,
        cancelled=cancelled,
        cost_usd=sum((trade.cost_usd for trade in trades), fees),
    )


def _holding(row: PositionRow) -> Holding:
    quantity = down(row.quantity) if row.quantity > 0 else up(row.quantity)
    return Holding(quantity, decimal_of(row.entry_price))


def _merged(listing: Listing, rows: Iterable[Holding]) -> Effect:
    return merged(listing.contract, rows, listing.mark)


def _trade(
    balances: dict[str, Decimal], holdings: dict[str, Holding], listing: Listing, quantity: Decimal
) -> Trade:
    """Fill at mark; the cost leaves the settlement currency's cash."""
    cost = listing.cost_usd * abs(quantity)
    fee = up(cost / listing.settle_usd)
    fill = Fill(quantity, listing.mark, fee, listing.instrument.settle)
    effect = filled(listing.contract, holdings.get(listing.id, Holding()), fill)
    holdings[listing.id] = effect.holding
    _add(balances, effect.cash)
    side = Side.BUY if quantity > 0 else Side.SELL
    return Trade(listing.id, side, abs(quantity), listing.mark, cost)


def _convert(balances: dict[str, Decimal], exchange: Exchange, converter: Converter) -> Conversion:
    received = converter.received(exchange)
    _add(balances, {exchange.sell: -exchange.amount})
    _add(balances, {exchange.buy: received})
    return Conversion(exchange.sell, exchange.amount, exchange.buy, received)


def _add(balances: dict[str, Decimal], cash: Mapping[str, Decimal]) -> None:
    for currency, amount in cash.items():
        balances[currency] = balances.get(currency, ZERO) + amount


def _account(
    account: AccountRows, balances: Mapping[str, Decimal], holdings: Mapping[str, Holding]
) -> AccountRows:
    """The account with these balances and positions; entry prices become the floats that documents hold."""
    positions = tuple(
        PositionRow(name, holding.quantity, float(holding.entry_price))
        for name, holding in holdings.items()
        if holding.quantity
    )
    return replace(account, balances=dict(balances), positions=positions)
