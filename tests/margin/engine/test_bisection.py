"""The last bit of a bisection, whatever it is told of where to look."""

import numpy as np
import numpy.typing as npt
import pytest

from margin.engine.bisection import Condition, last_true
from margin.engine.tiers import MarginalTiers

SIZE = 500


@pytest.mark.parametrize("off", [0.0, 1e-15, 1e-9, 1e-3, 1.0, np.inf, np.nan])
def test_no_guess_changes_a_bit(off: float) -> None:
    rng = np.random.default_rng(7)
    upper = rng.uniform(1e-6, 1e9, SIZE)
    least = upper * rng.uniform(0.0, 1.0, SIZE)
    asked: list[npt.NDArray[np.float64]] = []

    def condition_of(who: npt.NDArray[np.intp]) -> Condition:
        def holds(amount: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
            asked.append(amount)
            return np.asarray(amount * 0.95 <= least[who] * 0.95)

        return holds

    found = last_true(condition_of, upper, least * (1.0 + off), upper * 2.0**-40)
    assert (found * 0.95 <= least * 0.95).all()
    assert (np.nextafter(found, np.inf) * 0.95 > least * 0.95).all()
    # A good guess spares most of some sixty steps.
    assert (len(asked) < 25) == (off <= 1e-15)


def test_the_amount_of_a_total_gives_that_total() -> None:
    tiers = MarginalTiers.of([10.0, 1_000.0, np.inf], [1.0, 0.95, 0.5])
    amounts = np.array([0.0, 3.0, 10.0, 11.0, 999.0, 1_000.0, 1e6])
    np.testing.assert_allclose(tiers.amount_of(tiers.apply(amounts)), amounts, rtol=1e-15)
