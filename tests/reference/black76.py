"""Undiscounted Black-76 for one option at a time, on the standard library alone.

Values are in quote currency for one coin of underlying. Where ``vol * sqrt(years)`` is zero the option is
worth its intrinsic value and has neither gamma nor vega.
"""

import math

SQRT2 = math.sqrt(2.0)
SQRT_2PI = math.sqrt(2.0 * math.pi)


def normal_cdf(x: float) -> float:
    """Standard normal distribution function, accurate in both tails."""
    return 0.5 * math.erfc(-x / SQRT2)


def normal_pdf(x: float) -> float:
    """Standard normal density."""
    return math.exp(-0.5 * x * x) / SQRT_2PI


def first_moment(forward: float, strike: float, width: float) -> float:
    """``d1`` for a positive ``width = vol * sqrt(years)``."""
    return math.log(forward / strike) / width + 0.5 * width


def value(option_type: str, forward: float, strike: float, vol: float, years: float) -> float:
    """Value of one coin's worth of a call or put."""
    width = vol * math.sqrt(years)
    sign = 1.0 if option_type == "call" else -1.0
    if width == 0.0:
        return max(0.0, sign * (forward - strike))
    d1 = first_moment(forward, strike, width)
    d2 = d1 - width
    return sign * (forward * normal_cdf(sign * d1) - strike * normal_cdf(sign * d2))


def delta(option_type: str, forward: float, strike: float, vol: float, years: float) -> float:
    """Coins of delta of one coin's worth; a half at the money when nothing is left of time or volatility."""
    width = vol * math.sqrt(years)
    sign = 1.0 if option_type == "call" else -1.0
    if width > 0.0:
        return sign * normal_cdf(sign * first_moment(forward, strike, width))
    if forward == strike:
        return sign * 0.5
    return sign if sign * (forward - strike) > 0.0 else 0.0


def gamma(forward: float, strike: float, vol: float, years: float) -> float:
    """Change of delta for one unit of quote currency."""
    width = vol * math.sqrt(years)
    if width == 0.0:
        return 0.0
    return normal_pdf(first_moment(forward, strike, width)) / (forward * width)


def vega_point(forward: float, strike: float, vol: float, years: float) -> float:
    """Change of value for one volatility point (0.01)."""
    width = vol * math.sqrt(years)
    if width == 0.0:
        return 0.0
    return 0.01 * forward * normal_pdf(first_moment(forward, strike, width)) * math.sqrt(years)
