"""Tier tables: marginal ones, where each slice pays its own rate, and bands, where the whole amount pays one.

A tier covers amounts up to and including its `up_to`; the last is open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MarginalTiers:
    """Slices of an amount, each with a rate of its own (discounts, MR7 multipliers).

    Attributes
    ----------
    up_to : (K,) ascending upper ends, the last infinite.
    rate : (K,) rate of each slice.
    """

    up_to: Floats
    rate: Floats

    @classmethod
    def of(cls, up_to: Sequence[float], rate: Sequence[float]) -> "MarginalTiers":
        return cls(np.asarray(up_to, dtype=np.float64), np.asarray(rate, dtype=np.float64))

    @cached_property
    def lower(self) -> Floats:
        """(K,) lower ends of the slices."""
        return np.concatenate(([0.0], self.up_to[:-1]))

    @cached_property
    def _below(self) -> Floats:
        """(K,) what the full slices below each one sum to."""
        full = np.diff(self.up_to[:-1], prepend=0.0) * self.rate[:-1]
        return np.concatenate(([0.0], np.cumsum(full)))

    def apply(self, amount: Floats) -> Floats:
        """Sum over slices of (the part of `amount` inside the slice) * rate; amounts are >= 0."""
        total = np.asarray(amount * self.rate[0])
        if amount.max(initial=0.0) > self.up_to[0]:
            beyond = np.flatnonzero(amount > self.up_to[0])
            total[beyond] = self._beyond_first(amount[beyond])
        return total

    def amount_of(self, total: Floats) -> Floats:
        """The amount that sums to `total`, but for rounding; infinite beyond slices that add nothing."""
        tier = np.searchsorted(self._below[1:], total, side="left")
        return np.asarray(self.lower[tier] + (total - self._below[tier]) / self.rate[tier])

    def _beyond_first(self, amount: Floats) -> Floats:
        """`apply` for amounts of any tier."""
        tier = np.searchsorted(self.up_to, amount, side="left")
        return np.asarray(self._below[tier] + (amount - self.lower[tier]) * self.rate[tier])


@dataclass(frozen=True, eq=False)
class BandTiers:
    """Maintenance and initial rates by the band in which the whole amount falls (borrowing, futures).

    Attributes
    ----------
    up_to : (K,) ascending upper ends, the last infinite.
    mmr, imr : (K,) rates of each band.
    """

    up_to: Floats
    mmr: Floats
    imr: Floats

    def rates(self, amount: Floats) -> tuple[Floats, Floats]:
        """(mmr, imr) of each amount's band; amounts are >= 0."""
        band = np.searchsorted(self.up_to, amount, side="left")
        return self.mmr[band], self.imr[band]
