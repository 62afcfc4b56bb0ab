"""What margining a shard yields, columnar: A accounts, C currencies, P pairs of account and risk unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from margin.engine.errors import NonFiniteError

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Status(StrEnum):
    NORMAL = "normal"
    WARNING = "warning"
    REPAY = "repay"
    LIQUIDATION = "liquidation"


STATUSES = tuple(Status)


@dataclass(frozen=True, eq=False)
class CurrencyFigures:
    """Equity by currency, (A, C) each; `present` marks the currencies that an account's report lists."""

    currencies: tuple[str, ...]
    present: Bools
    cash: Floats
    upl: Floats
    option_value: Floats
    equity: Floats
    usd_value: Floats
    discounted_usd: Floats
    liability_usd: Floats
    borrow_mmr: Floats
    borrow_imr: Floats


@dataclass(frozen=True, eq=False)
class UnitFigures:
    """One risk unit over the accounts of a shard that hold it, (P,) each; all of the binding order set.

    Attributes
    ----------
    account : ascending account indices.
    binding : names of the order sets that decided.
    components : name -> USD.
    price_moves : (n,) ascending; None where the methodology has no scenarios.
    pnl : (P, n, 3) USD P&L at each price move and volatility shift (down, same, up).
    """

    unit: str
    account: Ints
    binding: tuple[str, ...]
    mmr: Floats
    imr: Floats
    spot_in_use: Floats
    delta: Floats
    cash_delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    upl: Floats
    components: Mapping[str, Floats]
    price_moves: Floats | None
    pnl: Floats | None


@dataclass(frozen=True, eq=False)
class AccountFigures:
    """Figures of each account, (A,) each, USD. Rates are NaN where the report says null.

    `status` holds indices into `STATUSES`.
    """

    net_equity: Floats
    adjusted_equity: Floats
    upl: Floats
    derivatives_mmr: Floats
    derivatives_imr: Floats
    borrow_mmr: Floats
    borrow_imr: Floats
    mmr: Floats
    imr: Floats
    liquidation_fee: Floats
    margin_ratio: Floats
    mmr_rate: Floats
    imr_rate: Floats
    leverage: Floats
    status: Ints


#: Account figures that may be null in a report, and are NaN here.
NULLABLE = ("margin_ratio", "mmr_rate", "imr_rate", "leverage")
_ALWAYS_FINITE = (
    "net_equity",
    "adjusted_equity",
    "upl",
    "derivatives_mmr",
    "derivatives_imr",
    "mmr",
    "imr",
    "liquidation_fee",
)


@dataclass(frozen=True, eq=False)
class ShardMargin:
    """The margin of every account of a shard under one methodology and parameter version."""

    ids: tuple[str, ...]
    accounts: AccountFigures
    currencies: CurrencyFigures
    units: tuple[UnitFigures, ...]

    def require_finite(self) -> None:
        """Raise `NonFiniteError` for the first account with a figure that is not finite."""
        for name in _ALWAYS_FINITE:
            bad = np.flatnonzero(~np.isfinite(getattr(self.accounts, name)))
            if len(bad):
                raise NonFiniteError(name, self.ids[int(bad[0])])
        for unit in self.units:
            if unit.pnl is not None and not np.isfinite(unit.pnl).all():
                row = int(np.flatnonzero(~np.isfinite(unit.pnl).all(axis=(1, 2)))[0])
                raise NonFiniteError(f"scenario P&L of {unit.unit}", self.ids[int(unit.account[row])])
