"""The accounts of the benchmark, columnar and seeded, a block at a time: a million never stand in memory.

Sizes follow a power law (median 9 positions, at most 400 draws). An account favours one coin, and everybody
favours perpetuals and near expiries, as open interest does. One account in ten has three open orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from margin.engine.book import Balances, Book, HedgeLimits, HedgeMode, Lots, Orders, Positions, SpotOrders
from margin.engine.market import Market

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: Accounts made from one seed.
BLOCK: Final = 10_000
CURRENCIES: Final = ("BTC", "ETH", "SOL", "USDC", "USDT")
_SEED: Final = 20_250_203
_COIN_SHARES: Final = (0.55, 0.3, 0.15)
_HOME_SHARE: Final = 0.8
_MOST_POSITIONS: Final = 400


@dataclass(frozen=True, eq=False)
class Holdings:
    """What a range of accounts holds; `account` columns count from 0, instruments are the market's.

    Quantities are whole contracts, signed; every account has a balance in USDT (`cash`).
    """

    positions: Positions
    entry: Floats
    orders: Orders
    cash: Floats

    def __len__(self) -> int:
        return len(self.cash)


def holdings(block: int, accounts: int, market: Market) -> Holdings:
    """The first `accounts` (at most `BLOCK`) accounts of a block."""
    rng = np.random.default_rng([_SEED, block])
    popularity = _popularity(market)
    home = rng.choice(len(_COIN_SHARES), BLOCK, p=_COIN_SHARES)
    count = np.minimum(rng.pareto(1.1, BLOCK) * 6.8 + 4.4, _MOST_POSITIONS).astype(np.int64)
    owner = np.repeat(np.arange(BLOCK), count)
    drawn = _draw(rng, popularity, home[owner], market)
    key = np.unique(owner * len(market.instruments) + drawn)
    account, instrument = np.divmod(key, len(market.instruments))
    size = np.maximum(rng.lognormal(2.0, 1.2, len(key)).round(), 1.0)
    quantity = size * rng.choice((-1.0, 1.0), len(key))
    ordering = np.repeat(np.flatnonzero(rng.random(BLOCK) < 0.1), 3)
    ordered = _draw(rng, popularity, home[ordering], market)
    sides = rng.choice((-5.0, 5.0), len(ordering))
    drift = 1.0 + rng.normal(0.0, 0.02, len(key))
    gross = np.bincount(account, np.abs(quantity) * market.index_notional[instrument], BLOCK)
    cash = np.round(1_000.0 + gross * rng.uniform(0.2, 1.2, BLOCK), 2)
    mine, ours = account < accounts, ordering < accounts
    return Holdings(
        positions=Positions(_ints(account[mine]), _ints(instrument[mine]), quantity[mine]),
        entry=_price(market, instrument[mine], drift[mine]),
        orders=Orders(
            _ints(ordering[ours]),
            _ints(ordered[ours]),
            sides[ours],
            _price(market, ordered[ours], np.ones(int(ours.sum()))),
        ),
        cash=cash[:accounts],
    )


def book(accounts: int, market: Market) -> Book:
    """So many accounts as one shard of the engine."""
    starts = range(0, accounts, BLOCK)
    return _book(
        [holdings(start // BLOCK, min(BLOCK, accounts - start), market) for start in starts], accounts
    )


def block_book(block: int, accounts: int, market: Market) -> Book:
    """The first accounts of a block as one shard of the engine."""
    return _book([holdings(block, accounts, market)], accounts)


def _book(parts: Sequence[Holdings], accounts: int) -> Book:
    starts = [BLOCK * number for number in range(len(parts))]
    position = [_moved(part.positions.account, start) for part, start in zip(parts, starts, strict=True)]
    order = [_moved(part.orders.account, start) for part, start in zip(parts, starts, strict=True)]
    account = np.concatenate(position)
    instrument = np.concatenate([part.positions.instrument for part in parts])
    quantity = np.concatenate([part.positions.quantity for part in parts])
    return Book(
        ids=tuple(map(str, range(accounts))),
        hedge_mode=np.full(accounts, HedgeMode.SPOT_HEDGE, dtype=np.int8),
        currencies=CURRENCIES,
        balances=Balances(
            np.arange(accounts, dtype=np.int32),
            np.full(accounts, CURRENCIES.index("USDT"), dtype=np.int32),
            np.concatenate([part.cash for part in parts]),
        ),
        positions=Positions(account, instrument, quantity),
        lots=Lots(account, instrument, quantity, np.concatenate([part.entry for part in parts])),
        orders=Orders(
            np.concatenate(order),
            np.concatenate([part.orders.instrument for part in parts]),
            np.concatenate([part.orders.quantity for part in parts]),
            np.concatenate([part.orders.price for part in parts]),
        ),
        spot_orders=SpotOrders(),
        hedge_limits=HedgeLimits(),
    )


def _popularity(market: Market) -> Floats:
    """(I,) how often an instrument is held, adding up to 1 over each coin."""
    table = market.instruments
    weight = 1.0 / (7.0 + market.days) * np.where(table.option, 1.0, 8.0)
    weight = weight * np.where(table.perpetual, 4.0, 1.0)
    whole: Floats = np.bincount(table.underlying, weight).astype(np.float64)
    return weight / whole[table.underlying]


def _draw(
    rng: np.random.Generator, popularity: Floats, home: npt.NDArray[np.int64], market: Market
) -> npt.NDArray[np.int64]:
    """An instrument for each entry, mostly of its home coin; instruments of a coin stand together."""
    coin = np.where(rng.random(len(home)) < _HOME_SHARE, home, rng.choice(3, len(home), p=_COIN_SHARES))
    cumulated = np.cumsum(popularity)
    drawn = np.searchsorted(cumulated, coin + rng.random(len(home)), side="right")
    return np.minimum(drawn, len(market.instruments) - 1)


def _price(market: Market, instrument: npt.NDArray[np.int64], drift: Floats) -> Floats:
    price: Floats = np.maximum(market.instruments.mark[instrument] * drift, 1e-4)
    return np.asarray(np.round(price, 8), dtype=np.float64)


def _ints(values: npt.NDArray[np.int64]) -> Ints:
    return values.astype(np.int32)


def _moved(account: Ints, start: int) -> Ints:
    return account + np.int32(start)
