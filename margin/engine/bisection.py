"""Bisection down to the last bit, for a condition of each entry of an array."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

#: Whether the condition holds, one number for each of certain entries.
Condition: TypeAlias = Callable[[Floats], Bools]

#: Most guesses are so much nearer than the width says: where that is so, four halvings more are spared.
_NEARER: Final = 2.0**-4


def last_true(
    condition_of: Callable[[npt.NDArray[np.intp]], Condition], upper: Floats, guess: Floats, width: Floats
) -> Floats:
    """(N,) the last numbers for which a condition holds that is true at 0, false at `upper`, and turns once.

    It ends when no number lies between true and false, so that no bit depends on how it came there: not on
    the company of an entry, nor on the `guess` of it. Where that is within `width` of the number, most of
    the halvings are spared; it may be anything.

    Parameters
    ----------
    condition_of : the condition of the entries of these numbers.
    """
    found = np.empty_like(upper)
    entry: npt.NDArray[np.intp] = np.arange(len(upper))
    holds = condition_of(entry)
    low, high = _bracket(holds, upper, guess, width)
    while len(entry):
        middle = low + 0.5 * (high - low)
        between = (low < middle) & (middle < high)
        if 2 * np.count_nonzero(between) <= len(entry):
            # A few wide brackets take many halvings more: what is found is not asked again.
            found[entry] = low
            entry = entry[between]
            low, high, middle = (values[between] for values in (low, high, middle))
            holds = condition_of(entry)
        true = holds(middle)
        low, high = np.where(true, middle, low), np.where(true, high, middle)
    return found


def _bracket(holds: Condition, upper: Floats, guess: Floats, width: Floats) -> tuple[Floats, Floats]:
    """Numbers for which the condition holds and does not, as near the guess as may be."""
    guess = np.where(np.isfinite(guess), guess, 0.0)
    low, high = np.zeros_like(upper), upper
    for distance in (width, width * _NEARER):
        below, above = np.clip(guess - distance, low, high), np.clip(guess + distance, low, high)
        low, high = np.where(holds(below), below, low), np.where(holds(above), high, above)
    return low, high
