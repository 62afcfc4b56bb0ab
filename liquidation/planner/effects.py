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
    return replace(account, balances=balances, positions=_positions({}, holdings))


def executed(account: AccountRows, proposal: Proposal, converter: Converter) -> Executed:
    """A merged account after a proposal, which trades no instrument twice."""
    balances, rows = dict(account.balances), {row.instrument: row for row in account.positions}
    holdings: dict[str, Holding] = {}
    trades = []
    for listing, quantity in proposal.trades:
        row = rows.get(listing.id)
        trade, holdings[listing.id] = _trade(balances, _holding(row) if row else Holding(), listing, quantity)
        trades.append(trade)
    conversions = tuple(_convert(balances, exchange, converter) for exchange in proposal.exchanges)
    fees = sum((converter.cost_usd(exchange) for exchange in proposal.exchanges), ZERO)
    orders = () if proposal.cancels else account.orders
    return Executed(
        account=replace(account, balances=balances, positions=_positions(rows, holdings), orders=orders),
        trades=tuple(trades),
        conversions=conversions,
        cancelled=len(account.orders) - len(orders),
        cost_usd=sum((trade.cost_usd for trade in trades), fees),
    )


def _holding(row: PositionRow) -> Holding:
    quantity = down(row.quantity) if row.quantity > 0 else up(row.quantity)
    return Holding(quantity, decimal_of(row.entry_price))


def _merged(listing: Listing, rows: Iterable[Holding]) -> Effect:
    return merged(listing.contract, rows, listing.mark)


def _trade(
    balances: dict[str, Decimal], held: Holding, listing: Listing, quantity: Decimal
) -> tuple[Trade, Holding]:
    """A fill at mark, and the position after it; the cost leaves the settlement currency's cash."""
    cost = listing.cost_usd * abs(quantity)
    fee = up(cost / listing.settle_usd)
    effect = filled(listing.contract, held, Fill(quantity, listing.mark, fee, listing.instrument.settle))
    _add(balances, effect.cash)
    side = Side.BUY if quantity > 0 else Side.SELL
    trade = Trade(listing.id, side, abs(quantity), listing.mark, cost, fee, listing.instrument.settle)
    return trade, effect.holding


def _convert(balances: dict[str, Decimal], exchange: Exchange, converter: Converter) -> Conversion:
    received = converter.received(exchange)
    _add(balances, {exchange.sell: -exchange.amount})
    _add(balances, {exchange.buy: received})
    return Conversion(exchange.sell, exchange.amount, exchange.buy, received)


def _add(balances: dict[str, Decimal], cash: Mapping[str, Decimal]) -> None:
    for currency, amount in cash.items():
        balances[currency] = balances.get(currency, ZERO) + amount


def _positions(rows: Mapping[str, PositionRow], changed: Mapping[str, Holding]) -> tuple[PositionRow, ...]:
    """The rows in their order, changed ones in place and new ones last, without those that are flat.

    Entry prices become the floats that documents hold.
    """
    after = dict(rows)
    for name, holding in changed.items():
        after[name] = PositionRow(name, holding.quantity, float(holding.entry_price))
    return tuple(row for row in after.values() if row.quantity)
