"""Account level: equity by currency, discounts, borrowing, ratio and status (spec 01.6, spec 10.7)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from margin.engine.account_blocks import shard_margin
from margin.engine.market import STABLE_CURRENCIES, Market
from margin.engine.parameters.common import ANY, for_coin
from margin.engine.results import STATUSES, AccountFigures, CurrencyFigures, ShardMargin, Status, UnitFigures
from margin.engine.shard_layout import AccountBlock, ShardLayout
from margin.engine.tiers import BandTiers, MarginalTiers

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


def sums_by(key: npt.NDArray[np.integer[Any]], values: Floats, groups: int) -> Floats:
    """(groups,) sums of `values` by `key`, each in row order; float64 even without rows."""
    return np.bincount(key, weights=values, minlength=groups).astype(np.float64, copy=False)


def usd_prices(currencies: Sequence[str], market: Market) -> Floats:
    """(C,) USD price of each currency; 0 for one that is named (in a hedge limit) but held by nobody."""
    return np.array(
        [
            market.usd_price(name) if name in STABLE_CURRENCIES else market.index.get(f"{name}-USD", 0.0)
            for name in currencies
        ],
        dtype=np.float64,
    )


def currency_figures(
    block: AccountBlock,
    market: Market,
    lot_upl: Floats,
    discount: Mapping[str, MarginalTiers],
    borrow: Mapping[str, BandTiers],
) -> CurrencyFigures:
    """Equity, discounted value and borrowing of a block of accounts in every currency.

    Parameters
    ----------
    lot_upl : (L,) unrealised P&L of every lot of the shard in settlement currency.
    """
    cells = len(block) * len(block.currencies)
    upl = block.by_currency(sums_by(block.lot_cell, lot_upl[block.lots], cells))
    value = block.by_currency(block.options.dot_column(market.option_mark))
    equity = block.cash + upl + value
    prices = usd_prices(block.currencies, market)
    usd = equity * prices[:, None]
    discounted, borrow_mmr, borrow_imr = _tiered(block.currencies, equity, prices, discount, borrow)
    return CurrencyFigures(
        currencies=block.currencies,
        present=block.present.T,
        cash=block.cash.T,
        upl=upl.T,
        option_value=value.T,
        equity=equity.T,
        usd_value=usd.T,
        discounted_usd=discounted.T,
        liability_usd=np.maximum(-usd, 0.0).T,
        borrow_mmr=borrow_mmr.T,
        borrow_imr=borrow_imr.T,
    )


def counted(equity: Floats, discount: MarginalTiers) -> Floats:
    """Units of a currency that its equity counts for: through the discount tiers, and a debt whole."""
    return discount.apply(np.maximum(equity, 0.0)) - np.maximum(-equity, 0.0)


def _tiered(
    currencies: Sequence[str],
    equity: Floats,
    prices: Floats,
    discount: Mapping[str, MarginalTiers],
    borrow: Mapping[str, BandTiers],
) -> tuple[Floats, Floats, Floats]:
    """Discounted USD value, and borrowing MMR and IMR, (C, A) each. A debt counts whole and negative."""
    discounted, mmr, imr = (np.zeros_like(equity) for _ in range(3))
    for row, name in enumerate(currencies):
        if not prices[row] or not (name in discount or ANY in discount) or not equity[row].any():
            continue
        discounted[row] = counted(equity[row], for_coin(discount, name)) * prices[row]
        borrowers = np.flatnonzero(equity[row] < 0.0)
        debt = -equity[row, borrowers]
        rate_mmr, rate_imr = for_coin(borrow, name).rates(debt)
        mmr[row, borrowers] = debt * prices[row] * rate_mmr
        imr[row, borrowers] = debt * prices[row] * rate_imr
    return discounted, mmr, imr


def row_sums(matrix: Floats) -> Floats:
    """Sum over columns, column by column, so that the order of addition does not depend on the rows."""
    total = np.zeros(len(matrix))
    for column in range(matrix.shape[1]):
        total += matrix[:, column]
    return total


@dataclass(frozen=True, eq=False)
class Required:
    """What the risk units of each account require, (A,) USD."""

    mmr: Floats
    imr: Floats

    @classmethod
    def by(cls, units: Sequence[UnitFigures], accounts: int) -> Self:
        """The sums over risk units, in the order of their names."""
        mmr, imr = np.zeros((2, accounts))
        for unit in units:
            mmr[unit.account] += unit.mmr
            imr[unit.account] += unit.imr
        return cls(mmr, imr)

    def part(self, accounts: slice) -> Self:
        """That of a range of accounts."""
        return type(self)(self.mmr[accounts], self.imr[accounts])


def leverage(block: AccountBlock, market: Market, adjusted_equity: Floats) -> Floats:
    """(a,) gross USD notional at the index of the positions over adjusted equity; NaN where that is 0."""
    gross = block.gross.dot_column(market.index_notional)
    return ratio_or_nan(gross, adjusted_equity, adjusted_equity != 0.0)


def ratio_or_nan(numerator: Floats, denominator: Floats, defined: npt.NDArray[np.bool_]) -> Floats:
    """numerator / denominator where `defined`, NaN (null in a report) elsewhere."""
    safe = np.where(defined, denominator, 1.0)
    with np.errstate(over="ignore"):
        return np.where(defined, numerator / safe, np.nan)


#: Status codes of the accounts from the equity base, maintenance margin and margin ratio, (A,) each.
StatusRule = Callable[[Floats, Floats, Floats], Ints]


class RatioParameters(Protocol):
    """What an account needs of the parameters of a methodology that goes by its ratio to MMR and fee."""

    @property
    def discount(self) -> Mapping[str, MarginalTiers]: ...

    @property
    def borrow(self) -> Mapping[str, BandTiers]: ...

    @property
    def liquidation_fee_rate(self) -> float: ...

    @property
    def warning_ratio(self) -> float: ...

    @property
    def liquidation_ratio(self) -> float: ...


def ratio_margin(
    layout: ShardLayout,
    market: Market,
    parameters: RatioParameters,
    units: Sequence[UnitFigures],
    lot_upl: Floats,
) -> ShardMargin:
    """The margin of a shard out of its units, where the ratio is adjusted equity over MMR and fee.

    Parameters
    ----------
    lot_upl : as in `currency_figures`.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    required = Required.by(units, len(layout.book))

    def figures(block: AccountBlock) -> tuple[AccountFigures, CurrencyFigures]:
        currencies = currency_figures(block, market, lot_upl, parameters.discount, parameters.borrow)
        accounts = figures_over(
            block,
            market,
            currencies,
            required.part(block.accounts),
            base=row_sums(currencies.discounted_usd),
            fee_rate=parameters.liquidation_fee_rate,
            status=partial(_status_by_ratio, parameters.warning_ratio, parameters.liquidation_ratio),
        )
        return accounts, currencies

    return shard_margin(layout, units, figures)


def figures_over(
    block: AccountBlock,
    market: Market,
    currencies: CurrencyFigures,
    required: Required,
    *,
    base: Floats,
    status: StatusRule,
    fee_rate: float = 0.0,
) -> AccountFigures:
    """Totals of a block's units and currencies, with ratio, rates and status over an equity base (a,) in USD.

    Parameters
    ----------
    required : by the units, of the block's own accounts.
    """
    adjusted = row_sums(currencies.discounted_usd)
    borrow_mmr, borrow_imr = row_sums(currencies.borrow_mmr), row_sums(currencies.borrow_imr)
    mmr, imr = required.mmr + borrow_mmr, required.imr + borrow_imr
    fee = fee_rate * (row_sums(currencies.liability_usd) + borrow_mmr)
    ratio = ratio_or_nan(base, mmr + fee, (mmr + fee) > 0.0)
    prices = usd_prices(block.currencies, market)
    return AccountFigures(
        net_equity=row_sums(currencies.usd_value),
        adjusted_equity=adjusted,
        upl=row_sums(currencies.upl * prices),
        derivatives_mmr=required.mmr,
        derivatives_imr=required.imr,
        borrow_mmr=borrow_mmr,
        borrow_imr=borrow_imr,
        mmr=mmr,
        imr=imr,
        liquidation_fee=fee,
        margin_ratio=ratio,
        mmr_rate=ratio_or_nan(mmr, base, base > 0.0),
        imr_rate=ratio_or_nan(imr, base, base > 0.0),
        leverage=leverage(block, market, adjusted),
        status=status(base, mmr, ratio),
    )


def status_codes(*ruled: tuple[npt.NDArray[np.bool_], Status]) -> Ints:
    """(A,) the code of the first status whose mask holds, `normal` where none does."""
    codes = np.full(len(ruled[0][0]), STATUSES.index(Status.NORMAL), dtype=np.int32)
    for holds, status in reversed(ruled):
        codes[holds] = STATUSES.index(status)
    return codes


def _status_by_ratio(warning: float, liquidation: float, base: Floats, mmr: Floats, ratio: Floats) -> Ints:
    """A null (NaN) ratio means that nothing is required, and is normal."""
    return status_codes((ratio <= liquidation, Status.LIQUIDATION), (ratio <= warning, Status.WARNING))
