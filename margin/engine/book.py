"""Who holds what, columnar: a shard of accounts. One account is a shard of one."""

from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from margin.engine.errors import EngineError

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

UNLIMITED: Final = np.inf


class HedgeMode(IntEnum):
    """How an account's spot takes part in its risk units."""

    DERIVATIVES_ONLY = 0
    SPOT_HEDGE = 1
    SPOT_USDT = 2
    SPOT_USDC = 3
    SPOT_CRYPTO = 4


def _ints() -> Ints:
    return np.zeros(0, dtype=np.int32)


def _floats() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Balances:
    """Cash rows, sorted by (account, currency); `currency` points into `Book.currencies`."""

    account: Ints = field(default_factory=_ints)
    currency: Ints = field(default_factory=_ints)
    amount: Floats = field(default_factory=_floats)


@dataclass(frozen=True, slots=True)
class Positions:
    """Derivative positions, one row per account and instrument, sorted by (account, instrument)."""

    account: Ints = field(default_factory=_ints)
    instrument: Ints = field(default_factory=_ints)
    quantity: Floats = field(default_factory=_floats)


@dataclass(frozen=True, slots=True)
class Lots:
    """The same positions as they were given, with entry prices: several rows of one instrument may stand."""

    account: Ints = field(default_factory=_ints)
    instrument: Ints = field(default_factory=_ints)
    quantity: Floats = field(default_factory=_floats)
    entry: Floats = field(default_factory=_floats)


@dataclass(frozen=True, slots=True)
class Orders:
    """Open derivative orders in the holder's order; `quantity` is signed (a sale is negative)."""

    account: Ints = field(default_factory=_ints)
    instrument: Ints = field(default_factory=_ints)
    quantity: Floats = field(default_factory=_floats)
    price: Floats = field(default_factory=_floats)


@dataclass(frozen=True, slots=True)
class SpotOrders:
    """Open spot orders; `base` and `quote` point into `Book.currencies`, `quantity` is signed, in coins."""

    account: Ints = field(default_factory=_ints)
    base: Ints = field(default_factory=_ints)
    quote: Ints = field(default_factory=_ints)
    quantity: Floats = field(default_factory=_floats)
    price: Floats = field(default_factory=_floats)


@dataclass(frozen=True, slots=True)
class HedgeLimits:
    """The holders' own limits on spot in use; a coin without a row has ratio 1 and no maximum."""

    account: Ints = field(default_factory=_ints)
    currency: Ints = field(default_factory=_ints)
    ratio: Floats = field(default_factory=_floats)
    max_amount: Floats = field(default_factory=_floats)


def _rows_of(table: Any, account: int) -> Any:
    """The rows of one account, which becomes number 0."""
    mine = table.account == account
    columns = {item.name: getattr(table, item.name)[mine] for item in fields(table)}
    return replace(table, **columns | {"account": np.zeros_like(columns["account"])})


@dataclass(frozen=True, slots=True)
class Book:
    """A shard of A accounts over C currencies and the instruments of one market.

    Attributes
    ----------
    ids : A account names.
    hedge_mode : (A,) int8 codes of `HedgeMode`.
    currencies : sorted codes of every currency that a balance, settlement, order or limit names.
    """

    ids: tuple[str, ...]
    hedge_mode: npt.NDArray[np.int8]
    currencies: tuple[str, ...]
    balances: Balances
    positions: Positions
    lots: Lots
    orders: Orders
    spot_orders: SpotOrders
    hedge_limits: HedgeLimits

    def __post_init__(self) -> None:
        if len(self.hedge_mode) != len(self.ids):
            raise EngineError("hedge_mode must have one entry per account")
        if tuple(sorted(set(self.currencies))) != self.currencies:
            raise EngineError("currencies must be sorted and distinct")

    def __len__(self) -> int:
        return len(self.ids)

    def alone(self, account: int) -> Self:
        """The book of one account, by its number; currencies stay as they are."""
        one = slice(account, account + 1)
        tables = {
            item.name: _rows_of(getattr(self, item.name), account)
            for item in fields(self)
            if hasattr(getattr(self, item.name), "account")
        }
        return replace(self, ids=self.ids[one], hedge_mode=self.hedge_mode[one], **tables)
