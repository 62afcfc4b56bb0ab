"""Scenarios as data: price moves and volatility shifts. A shock returns new arrays and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: The columns of every scenario matrix, in the order in which ties are broken.
VOL_SHIFTS: Final = ("down", "same", "up")

#: A shocked forward never falls below this fraction of the index.
FORWARD_FLOOR: Final = 1e-6


class ShiftType(StrEnum):
    """How a volatility shift acts: added in absolute volatility, or multiplied."""

    POINTS = "points"
    RELATIVE = "relative"

    def apply(self, vol: Floats, shift: Floats) -> Floats:
        """Volatility after a signed shift."""
        return vol + shift if self is ShiftType.POINTS else vol * (1.0 + shift)


@dataclass(frozen=True, eq=False)
class VolShift:
    """A volatility shift by maturity: linear between `days` nodes, flat outside, floored at `min_vol`."""

    unit: ShiftType
    days: Floats
    shift: Floats
    min_vol: float

    def columns(self, vol: Floats, days: Floats) -> Floats:
        """Volatility shifted down, the same, and up; (I, 3). The middle one is the mark IV as it is."""
        shift = np.interp(days, self.days, self.shift)
        down, up = (np.maximum(self.min_vol, self.unit.apply(vol, signed)) for signed in (-shift, shift))
        return np.stack([down, vol, up], axis=-1)


def symmetric_moves(sizes: Sequence[float]) -> Floats:
    """0 and plus and minus each size, ascending; shape (2n + 1,)."""
    up = np.asarray(sizes, dtype=np.float64)
    return np.concatenate((-up[::-1], [0.0], up))
