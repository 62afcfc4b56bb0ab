"""Undiscounted Black-76, vectorised (spec 01, section 4).

All functions broadcast their arguments and return float64. `stdev` is `sigma * sqrt(T)`, the standard
deviation of log forward at expiry; where it is 0 the option is worth its intrinsic value, gamma and vega
are 0, and delta is 1, 0 or 1/2 at the money (minus 1 for a put). That limit is an explicit branch: no
warning leaks and no NaN passes.

`sign` is +1 for a call and -1 for a put. Values are in quote currency for one coin of underlying.
"""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

FloatArray: TypeAlias = npt.NDArray[np.float64]

_INVERSE_SQRT_2PI: Final = 0.3989422804014327


def _standardised(log_moneyness: FloatArray, stdev: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """`d1` and a mask of the elements whose `stdev` is 0 (their `d1` is meaningless)."""
    flat = np.asarray(stdev <= 0.0)
    safe = np.where(flat, 1.0, stdev) if flat.any() else stdev
    # A vanishing stdev may send d1 to infinity: that is the limit meant, not an error.
    with np.errstate(over="ignore"):
        d1 = np.asarray(log_moneyness / safe)
        d1 += 0.5 * safe
    return d1, flat


def value(forward: FloatArray, strike: FloatArray, stdev: FloatArray, sign: FloatArray) -> FloatArray:
    """Option value `sign * (F N(sign d1) - K N(sign d2))`, intrinsic where `stdev` is 0.

    Parameters are broadcast; `forward` and `strike` must be positive.
    """
    # In place wherever it can be, for fresh memory costs as much as the arithmetic.
    moneyness = np.asarray(forward / strike)
    d1, flat = _standardised(np.log(moneyness, out=moneyness), stdev)
    value, other = np.asarray(sign * d1), np.asarray(sign * (d1 - stdev))
    ndtr(value, out=value)
    value *= forward
    ndtr(other, out=other)
    other *= strike
    value -= other
    value *= sign
    return _at_limit(value, flat, forward, strike, sign)


def _at_limit(
    value: FloatArray,
    flat: npt.NDArray[np.bool_],
    forward: FloatArray,
    strike: FloatArray,
    sign: FloatArray,
) -> FloatArray:
    """The values with the intrinsic one where `stdev` is 0."""
    if flat.any():
        np.copyto(value, np.maximum(sign * (forward - strike), 0.0), where=flat)
    return value


def delta(forward: FloatArray, strike: FloatArray, stdev: FloatArray, sign: FloatArray) -> FloatArray:
    """Derivative of the value by the forward: `N(d1)` for a call, `N(d1) - 1` for a put."""
    d1, flat = _standardised(np.log(forward / strike), stdev)
    step = np.where(forward > strike, 1.0, np.where(forward < strike, 0.0, 0.5))
    call = np.where(flat, step, ndtr(d1))
    put = np.where(flat, step - 1.0, -ndtr(-d1))
    return np.where(sign > 0.0, call, put)


def gamma(forward: FloatArray, strike: FloatArray, stdev: FloatArray) -> FloatArray:
    """Second derivative by the forward, `phi(d1) / (F stdev)`; the same for calls and puts."""
    d1, flat = _standardised(np.log(forward / strike), stdev)
    safe = np.where(flat, 1.0, stdev)
    return np.where(flat, 0.0, _density(d1) / (forward * safe))


def vega(forward: FloatArray, strike: FloatArray, stdev: FloatArray, root_years: FloatArray) -> FloatArray:
    """Derivative by volatility, `F phi(d1) sqrt(T)`, for 1.00 of volatility; `root_years` is `sqrt(T)`."""
    d1, flat = _standardised(np.log(forward / strike), stdev)
    return np.where(flat, 0.0, forward * _density(d1) * root_years)


def _density(x: FloatArray) -> FloatArray:
    with np.errstate(over="ignore", under="ignore"):
        return _INVERSE_SQRT_2PI * np.exp(-0.5 * x * x)
