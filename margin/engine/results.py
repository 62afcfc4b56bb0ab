"""What margining a shard yields, columnar: A accounts, C currencies, P pairs of account and risk unit."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from margin.engine.errors import NonFiniteError
from margin.engine.order_sets import BINDING_NAMES

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Status(StrEnum):
    NORMAL = "normal"
    WARNING = "warning"
    REPAY = "repay"
    LIQUIDATION = "liquidation"


STATUSES = tuple(Status)

#: The figures of a currency in every methodology, in the order of the report.
CURRENCY_FIGURES = (
    "cash",
    "upl",
    "option_value",
    "equity",
    "usd_value",
    "discounted_usd",
    "liability_usd",
    "borrow_mmr",
    "borrow_imr",
)


@dataclass(frozen=True, eq=False)
class CurrencyFigures:
    """Equity by currency, (A, C) each; `present` marks the currencies that an account's report lists.

    `extra` holds figures that only this methodology has, by name.
    """

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
    extra: Mapping[str, Floats] = field(default_factory=dict)

    def figures(self) -> Iterator[tuple[str, Floats]]:
        """Every figure by name, in the order of the report."""
        for name in CURRENCY_FIGURES:
            yield name, getattr(self, name)
        yield from self.extra.items()


#: The figures of a unit that are one number each, in the order of the report.
UNIT_SCALARS = ("mmr", "imr", "spot_in_use", "delta", "cash_delta", "gamma", "theta", "vega", "upl")


@dataclass(frozen=True, eq=False)
class UnitFigures:
    """One risk unit over the accounts of a shard that hold it, (P,) each; all of the binding order set.

    Attributes
    ----------
    account : account indices, each once.
    binding_code : indices into `BINDING_NAMES` of the order sets that decided.
    components : name -> USD.
    price_moves : (n,) ascending; None where the methodology has no scenarios.
    pnl : (P, n, 3) USD P&L at each price move and volatility shift (down, same, up).
    finite : whether all figures are known to be finite; False where nobody has looked.
    """

    unit: str
    account: Ints
    binding_code: npt.NDArray[np.int8]
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
    finite: bool = False

    @cached_property
    def binding(self) -> tuple[str, ...]:
        """Names of the order sets that decided, (P,)."""
        return tuple(BINDING_NAMES[code] for code in self.binding_code.tolist())

    def figures(self) -> Iterator[tuple[str, Floats]]:
        """Every computed figure by name, with the unit's own, P entries along the first axis of each."""
        for name in UNIT_SCALARS:
            yield f"{name} of {self.unit}", getattr(self, name)
        for name, values in self.components.items():
            yield f"{name} of {self.unit}", values
        if self.pnl is not None:
            yield f"scenario P&L of {self.unit}", self.pnl


#: The figures of an account in every methodology, in the order of the report.
ACCOUNT_FIGURES = (
    "net_equity",
    "adjusted_equity",
    "upl",
    "derivatives_mmr",
    "derivatives_imr",
    "borrow_mmr",
    "borrow_imr",
    "mmr",
    "imr",
    "liquidation_fee",
    "margin_ratio",
    "mmr_rate",
    "imr_rate",
    "leverage",
)


@dataclass(frozen=True, eq=False)
class AccountFigures:
    """Figures of each account, (A,) each, USD. Rates are NaN where the report says null.

    `status` holds indices into `STATUSES`; `extra` holds figures that only this methodology has, by name.
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
    extra: Mapping[str, Floats] = field(default_factory=dict)

    def figures(self) -> Iterator[tuple[str, Floats]]:
        """Every figure by name, in the order of the report."""
        for name in ACCOUNT_FIGURES:
            yield name, getattr(self, name)
        yield from self.extra.items()


#: Account figures that may be null in a report, and are NaN here.
NULLABLE = ("margin_ratio", "mmr_rate", "imr_rate", "leverage")


def is_finite(values: Floats) -> bool:
    """Whether all are finite, by their sum: False also where only that overflows."""
    return math.isfinite(values.sum())


def require_finite(
    figures: Iterable[tuple[str, Floats]], ids: Sequence[str], accounts: Sequence[int] | Ints
) -> None:
    """Raise `NonFiniteError` for the first figure, and its first account, that is neither finite nor null.

    Parameters
    ----------
    figures : by name, one row for each entry of `accounts`, which point into `ids`.
    """
    for name, values in figures:
        known = np.where(np.isnan(values), 0.0, values) if name in NULLABLE else values
        if not is_finite(known) and not (finite := np.isfinite(known)).all():
            row = int(np.argwhere(~finite)[0, 0])
            raise NonFiniteError(name, ids[int(accounts[row])])


@dataclass(frozen=True, eq=False)
class ShardMargin:
    """The margin of every account of a shard under one methodology and parameter version."""

    ids: tuple[str, ...]
    accounts: AccountFigures
    currencies: CurrencyFigures
    units: tuple[UnitFigures, ...]
