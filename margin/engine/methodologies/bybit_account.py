"""The account under `bybit-uta`: cost of open orders, equity base, status, withdrawals (spec 20, 4 and 5)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.account import (
    Required,
    counted,
    currency_figures,
    figures_over,
    row_sums,
    status_codes,
    sums_by,
    usd_prices,
)
from margin.engine.account_blocks import shard_margin
from margin.engine.bisection import last_true
from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.common import ANY, for_coin
from margin.engine.results import AccountFigures, CurrencyFigures, ShardMargin, Status, UnitFigures
from margin.engine.shard_layout import AccountBlock, ShardLayout
from margin.engine.tiers import MarginalTiers

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


# What open orders cost


def order_loss(book: Book, market: Market) -> Floats:
    """(A,) USD, never positive: what perpetual and futures orders lose at once when filled at their price."""
    orders, table = book.orders, market.instruments
    instrument = orders.instrument
    n, mark = orders.quantity * table.contract_size[instrument], table.mark[instrument]
    future = ~table.option[instrument]
    price, safe_mark = np.where(future, orders.price, 1.0), np.where(future, mark, 1.0)
    gain = np.where(table.inverse[instrument], 1.0 / price - 1.0 / safe_mark, safe_mark - price)
    loss = np.where(future, np.minimum(n * gain, 0.0), 0.0) * market.settle_usd[instrument]
    return sums_by(orders.account, loss, len(book))


def collateral_ratio(discount: Mapping[str, MarginalTiers], currency: str) -> float:
    """The rate of a currency's first discount tier."""
    return float(for_coin(discount, currency).rate[0])


def haircut_loss(book: Book, market: Market, discount: Mapping[str, MarginalTiers]) -> Floats:
    """(A,) USD of collateral that spot orders give up: what they sell counts for more than what they buy."""
    orders = book.spot_orders
    counts = usd_prices(book.currencies, market) * np.array(
        [collateral_ratio(discount, name) if _priced(discount, name) else 0.0 for name in book.currencies]
    )
    coins, bought = np.abs(orders.quantity), orders.quantity > 0.0
    in_coin, in_quote = coins * counts[orders.base], coins * orders.price * counts[orders.quote]
    loss = np.maximum(np.where(bought, in_quote - in_coin, in_coin - in_quote), 0.0)
    return sums_by(orders.account, loss, len(book))


def _priced(discount: Mapping[str, MarginalTiers], currency: str) -> bool:
    """Whether the parameters price a currency; one that only a hedge limit names need not be."""
    return currency in discount or ANY in discount


# Account figures


def account_margin(
    layout: ShardLayout,
    market: Market,
    parameters: BybitParameters,
    units: Sequence[UnitFigures],
    lot_upl: Floats,
) -> ShardMargin:
    """The margin of a shard out of its units, withdrawals included.

    Parameters
    ----------
    lot_upl : as in `currency_figures`.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    book = layout.book
    required, held = Required.by(units, len(book)), _held_back(book, units)
    haircut, lost = haircut_loss(book, market, parameters.discount), order_loss(book, market)

    def figures(block: AccountBlock) -> tuple[AccountFigures, CurrencyFigures]:
        mine = block.accounts
        currencies = currency_figures(block, market, lot_upl, parameters.discount, parameters.borrow)
        base = row_sums(currencies.discounted_usd) - haircut[mine] + lost[mine]
        accounts = figures_over(
            block,
            market,
            currencies,
            required.part(mine),
            base=base,
            status=partial(_status, parameters, np.any(currencies.equity < 0.0, axis=1)),
        )
        accounts = replace(accounts, extra={"haircut_loss": haircut[mine], "order_loss": lost[mine]})
        return accounts, with_withdrawable(
            market, parameters, currencies, held[:, mine].T, base, accounts.imr
        )

    return shard_margin(layout, units, figures)


def _status(parameters: BybitParameters, borrows: Bools, base: Floats, mmr: Floats, ratio: Floats) -> Ints:
    """By the maintenance rate; a requirement on a used-up base is past every threshold."""
    live = base > 0.0
    rate = np.where(live, mmr, 0.0) / np.where(live, base, 1.0)
    return status_codes(
        ((rate >= parameters.liquidation_rate) | (~live & (mmr > 0.0)), Status.LIQUIDATION),
        ((rate >= parameters.repay_rate) & borrows, Status.REPAY),
        (rate >= parameters.warning_rate, Status.WARNING),
    )


# Withdrawals

#: How far from the amount a guess of it may lie, as a part of what it is computed from: rounding, amply.
_NEARNESS: Final = 2.0**-46


def with_withdrawable(
    market: Market,
    parameters: BybitParameters,
    currencies: CurrencyFigures,
    held_back: Floats,
    base: Floats,
    imr: Floats,
) -> CurrencyFigures:
    """The currencies with how much of each may leave the account alone, by itself.

    Parameters
    ----------
    held_back : (a, C) coins that may not.
    base, imr : (a,) equity base and initial margin, USD.
    """
    prices = usd_prices(currencies.currencies, market)
    free = np.maximum(currencies.cash - held_back, 0.0)
    withdrawable = np.zeros_like(free)
    for column, name in enumerate(currencies.currencies):
        if _priced(parameters.discount, name) and free[:, column].any():
            withdrawable[:, column] = _most(
                free[:, column],
                currencies.equity[:, column],
                base - currencies.discounted_usd[:, column],
                imr,
                for_coin(parameters.discount, name),
                float(prices[column]),
            )
    return replace(currencies, extra={"withdrawable": withdrawable})


def _held_back(book: Book, units: Sequence[UnitFigures]) -> Floats:
    """(C, A) coins that hedge a risk unit: they may be traded, and not withdrawn."""
    held = np.zeros((len(book.currencies), len(book)))
    for unit in units:
        if unit.unit in book.currencies:
            held[book.currencies.index(unit.unit), unit.account] = np.maximum(unit.spot_in_use, 0.0)
    return held


def _most(
    free: Floats, equity: Floats, others: Floats, imr: Floats, discount: MarginalTiers, price: float
) -> Floats:
    """(A,) the largest amount in [0, free] after which the equity base still covers the initial margin.

    Parameters
    ----------
    equity : of the currency, in its own units.
    others : the equity base without this currency, USD.
    """

    def covering(who: npt.NDArray[np.intp]) -> Callable[[Floats], Bools]:
        owned, least, rest = equity[who], imr[who], others[who]
        return lambda amount: np.asarray(rest + counted(owned - amount, discount) * price >= least)

    most, everyone = free.copy(), np.arange(len(free))
    short = everyone[~covering(everyone)(free)]
    most[short] = 0.0
    some = short[covering(short)(most[short])]
    if len(some):
        # Before rounding: the equity from which on what counts is enough, off that which is there.
        needed, owned = (imr[some] - others[some]) / price, equity[some]
        enough = np.where(needed > 0.0, discount.amount_of(np.maximum(needed, 0.0)), needed)
        width = _NEARNESS * (np.abs(owned) + np.abs(others[some] / price) + np.abs(needed))
        most[some] = last_true(lambda who: covering(some[who]), free[some], owned - enough, width)
    return most
