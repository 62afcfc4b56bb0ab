"""Bisection down to the last bit, for a condition of each entry of an array."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def last_true(holds: Callable[[Floats], Bools], upper: Floats, guess: Floats, width: Floats) -> Floats:
    """(N,) the last numbers for which a condition holds that is true at 0, false at `upper`, and turns once.

    It ends when no number lies between true and false, so that no bit depends on how it came there: not on
    the company of an entry, nor on the `guess` of it. Where that is within `width` of the number, most of
    the halvings are spared; it may be anything.
    """
    low, high = _bracket(holds, upper, guess, width)
    while True:
        middle = low + 0.5 * (high - low)
        if not ((low < middle) & (middle < high)).any():
            return low
        true = holds(middle)
        low, high = np.where(true, middle, low), np.where(true, high, middle)


def _bracket(
    holds: Callable[[Floats], Bools], upper: Floats, guess: Floats, width: Floats
) -> tuple[Floats, Floats]:
    """Numbers for which the condition holds and does not, as near the guess as may be."""
    guess = np.where(np.isfinite(guess), guess, 0.0)
    below, above = np.clip(guess - width, 0.0, upper), np.clip(guess + width, 0.0, upper)
    return np.where(holds(below), below, 0.0), np.where(holds(above), upper, above)
