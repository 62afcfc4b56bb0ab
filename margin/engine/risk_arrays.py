"""Risk arrays: every instrument of a unit repriced once under every scenario, for one contract.

An account's stress is then one sparse product. Arrays are laid out over *sides*: row 2m is one contract of
member m held long, row 2m + 1 one contract held short. Signed columns are negated on the short row; gross
columns (what a position costs whichever way it faces) are equal on both.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine.units import RiskUnit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RiskArrays:
    """The stress of one risk unit under one parameter version and market.

    Attributes
    ----------
    unit : the unit and its M members.
    price_moves : (n,) ascending price moves of the scenario grid.
    buckets : (2M, W) columns that are needed by expiry bucket: the scenario grid first.
    sums : (2M, K) columns that are needed in total only.
    delta_sign : (M,) sign of each member's coin delta.
    """

    unit: RiskUnit
    price_moves: Floats
    buckets: Floats
    sums: Floats
    delta_sign: Floats


def both_sides(signed: Floats) -> Floats:
    """(2M, K) rows for long and short contracts from the signed columns (M, K) of a long one."""
    sides = np.empty((2 * len(signed), signed.shape[1]))
    sides[0::2] = signed
    np.negative(signed, out=sides[1::2])
    return sides


def facing(long: Floats, short: Floats) -> Floats:
    """(2M, K) rows from columns given for a long contract and for a short one separately."""
    sides = np.empty((2 * len(long), long.shape[1]))
    sides[0::2] = long
    sides[1::2] = short
    return sides
