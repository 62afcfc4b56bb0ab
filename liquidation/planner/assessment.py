"""What margining says about one account, as a planner asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from liquidation.planner.plan import Figures
from margin.engine.account import row_sums
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.library import Parameters
from margin.engine.results import STATUSES, ShardMargin, Status

#: Components that never lead: a floor, a sum, and what open orders ask for.
_NEVER_LEADING: Final = ("mr7", "contingency", "orders")
#: How far the float figures of an amount may be off, relative to what was added up for it.
_NOISE: Final = 1e-12


@dataclass(frozen=True)
class UnitView:
    """One risk unit of the account; `delta` is of its derivatives, `spot_in_use` comes on top. Coins."""

    name: str
    mmr: float
    delta: float
    spot_in_use: float
    components: Mapping[str, float]

    @property
    def leading(self) -> str:
        """The largest component, the first of equal ones."""
        telling = [name for name in self.components if name not in _NEVER_LEADING]
        return max(telling, key=self.components.__getitem__)

    def largest_first(self) -> tuple[float, str]:
        """Sort key: by maintenance margin, then by name."""
        return -self.mmr, self.name


@dataclass(frozen=True)
class CurrencyView:
    """One currency of the account; `noise` is how far its equity may be off, in its own units."""

    name: str
    cash: float
    equity: float
    usd_value: float
    noise: float


@dataclass(frozen=True, eq=False)
class Assessment:
    """One account of a margined shard."""

    shard: ShardMargin
    account: int
    parameters: Parameters

    def _figure(self, name: str) -> float:
        return float(getattr(self.shard.accounts, name)[self.account])

    @cached_property
    def base(self) -> float:
        """The equity that covers the requirement: adjusted equity, less what open orders cost at Bybit."""
        extra = self.shard.accounts.extra
        base = self._figure("adjusted_equity")
        if "haircut_loss" in extra:
            base = (
                base - float(extra["haircut_loss"][self.account]) + float(extra["order_loss"][self.account])
            )
        return base

    @cached_property
    def deficit(self) -> float:
        """USD missing to the target; positive until the account is safe (spec 50, section 2)."""
        if isinstance(self.parameters, BybitParameters):
            return self._figure("mmr") - self.parameters.stop_rate * self.base
        target = self.parameters.liquidation.target_ratio
        assert target is not None
        return target * (self._figure("mmr") + self._figure("liquidation_fee")) - self.base

    @property
    def status(self) -> Status:
        return STATUSES[int(self.shard.accounts.status[self.account])]

    @property
    def net_equity(self) -> float:
        return self._figure("net_equity")

    @property
    def mostly_borrowing(self) -> bool:
        """Whether over half of the requirement is for borrowing."""
        return self._figure("borrow_mmr") > 0.5 * self._figure("mmr")

    @cached_property
    def debt_usd(self) -> float:
        """What the account has borrowed, USD."""
        return float(row_sums(self.shard.currencies.liability_usd)[self.account])

    @property
    def in_debt(self) -> bool:
        return bool(np.any(self.shard.currencies.equity[self.account] < 0.0))

    def figures(self) -> Figures:
        """The figures that a plan shows."""
        return Figures(
            adjusted_equity=self._figure("adjusted_equity") + 0.0,
            mmr=self._figure("mmr") + 0.0,
            imr=self._figure("imr") + 0.0,
            margin_ratio=_or_none(self._figure("margin_ratio")),
            mmr_rate=_or_none(self._figure("mmr_rate")),
            status=self.status,
            deficit=self.deficit + 0.0,
        )

    @cached_property
    def units(self) -> dict[str, UnitView]:
        """The risk units, the one of the largest requirement first."""
        found = [
            UnitView(
                name=unit.unit,
                mmr=float(unit.mmr[row]),
                delta=float(unit.delta[row]),
                spot_in_use=float(unit.spot_in_use[row]),
                components={name: float(values[row]) for name, values in unit.components.items()},
            )
            for unit in self.shard.units
            for row in np.flatnonzero(unit.account == self.account)
        ]
        return {unit.name: unit for unit in sorted(found, key=UnitView.largest_first)}

    @cached_property
    def currencies(self) -> list[CurrencyView]:
        """The currencies in which the account has any equity, by code."""
        of = self.shard.currencies
        return [
            self._currency(column)
            for column in range(len(of.currencies))
            if of.equity[self.account, column] != 0.0
        ]

    def _currency(self, column: int) -> CurrencyView:
        of = self.shard.currencies
        cash, upl, value, equity, usd = (
            float(table[self.account, column])
            for table in (of.cash, of.upl, of.option_value, of.equity, of.usd_value)
        )
        noise = _NOISE * (abs(cash) + abs(upl) + abs(value))
        return CurrencyView(of.currencies[column], cash, equity, usd, noise)


def _or_none(figure: float) -> float | None:
    return None if np.isnan(figure) else figure + 0.0
