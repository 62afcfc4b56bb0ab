"""Black-76 against QuantLib, its greeks against differences, and its limits in words."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import QuantLib  # type: ignore[import-untyped]

from margin.engine import black76

Floats = npt.NDArray[np.float64]

SIZE = 4_000


@pytest.fixture(scope="module")
def grid() -> dict[str, Floats]:
    """Random options from dust to far in the money, seconds to years, at 1 % to 400 % volatility."""
    rng = np.random.default_rng(76)
    forward = 10.0 ** rng.uniform(-5.0, 5.5, SIZE)
    years = 10.0 ** rng.uniform(-6.0, 0.5, SIZE)
    vol = rng.uniform(0.01, 4.0, SIZE)
    spread = rng.normal(0.0, 2.0, SIZE) * vol * np.sqrt(years)
    return {
        "forward": forward,
        "strike": forward * np.exp(spread),
        "vol": vol,
        "root_years": np.sqrt(years),
        "stdev": vol * np.sqrt(years),
        "sign": rng.choice([-1.0, 1.0], SIZE),
    }


def _value(grid: dict[str, Floats], **changes: Floats) -> Floats:
    terms = grid | changes
    return black76.value(terms["forward"], terms["strike"], terms["stdev"], terms["sign"])


def test_value_is_quantlibs(grid: dict[str, Floats]) -> None:
    kind = {1.0: QuantLib.Option.Call, -1.0: QuantLib.Option.Put}
    rows = zip(grid["sign"], grid["strike"], grid["forward"], grid["stdev"], strict=True)
    expected = np.array([QuantLib.blackFormula(kind[sign], k, f, s) for sign, k, f, s in rows])
    scale = np.maximum(grid["forward"], grid["strike"])
    assert np.max(np.abs(_value(grid) - expected) / scale) < 1e-10


def test_put_call_parity(grid: dict[str, Floats]) -> None:
    call, put = (_value(grid, sign=np.full(SIZE, sign)) for sign in (1.0, -1.0))
    parity = (call - put - (grid["forward"] - grid["strike"])) / np.maximum(grid["forward"], grid["strike"])
    assert np.max(np.abs(parity)) < 1e-13


def test_greeks_are_the_slopes_of_the_value(grid: dict[str, Floats]) -> None:
    """Where float64 differences can tell: not for a spike at the strike, nor far out of the money."""
    tellable = (grid["stdev"] > 1e-2) & (np.abs(np.log(grid["strike"] / grid["forward"])) < 3.0)
    grid = {name: values[tellable] for name, values in grid.items()}
    forward, stdev = grid["forward"], grid["stdev"]
    step = 1e-4 * forward * np.minimum(stdev, 1.0)
    up, down = _value(grid, forward=forward + step), _value(grid, forward=forward - step)
    delta = black76.delta(forward, grid["strike"], stdev, grid["sign"])
    np.testing.assert_allclose(delta, (up - down) / (2 * step), atol=1e-7)
    gamma = black76.gamma(forward, grid["strike"], stdev) * forward * stdev
    curvature = (up - 2.0 * _value(grid) + down) / step**2 * forward * stdev
    np.testing.assert_allclose(gamma, curvature, atol=1e-4)
    bump = 1e-4 * grid["vol"]
    higher, lower = (_value(grid, stdev=(grid["vol"] + s * bump) * grid["root_years"]) for s in (1.0, -1.0))
    vega = black76.vega(forward, grid["strike"], stdev, grid["root_years"])
    scale = forward * grid["root_years"]
    np.testing.assert_allclose(vega / scale, (higher - lower) / (2.0 * bump) / scale, atol=1e-7)


@pytest.mark.parametrize("root_years", [0.0, 1.0], ids=["expired", "no volatility"])
@pytest.mark.parametrize(
    ("sign", "strike", "value", "delta"),
    [
        (1.0, 90.0, 10.0, 1.0),
        (1.0, 100.0, 0.0, 0.5),
        (1.0, 110.0, 0.0, 0.0),
        (-1.0, 90.0, 0.0, 0.0),
        (-1.0, 100.0, 0.0, -0.5),
        (-1.0, 110.0, 10.0, -1.0),
    ],
)
def test_limit_without_time_or_volatility(
    root_years: float, sign: float, strike: float, value: float, delta: float
) -> None:
    vol = 0.5 if root_years == 0.0 else 0.0
    forward, strikes, stdev, signs, root = (
        np.array([x]) for x in (100.0, strike, vol * root_years, sign, root_years)
    )
    with np.errstate(all="raise"):
        assert black76.value(forward, strikes, stdev, signs)[0] == value
        assert black76.delta(forward, strikes, stdev, signs)[0] == delta
        assert black76.gamma(forward, strikes, stdev)[0] == 0.0
        assert black76.vega(forward, strikes, stdev, root)[0] == 0.0


def test_at_the_money_in_closed_form() -> None:
    """F = K: the value is F (2 N(s/2) - 1), for a call and a put alike."""
    for stdev in (1e-8, 0.1, 1.0, 5.0):
        expected = 100.0 * math.erf(stdev / 2.0 / math.sqrt(2.0))
        for sign in (1.0, -1.0):
            forward, spread, signs = (np.array([x]) for x in (100.0, stdev, sign))
            found = black76.value(forward, forward, spread, signs)
            assert found[0] == pytest.approx(expected, rel=1e-7)


def test_vanishing_volatility_approaches_the_limit_without_a_warning() -> None:
    forward, strike, stdev, sign = (np.array([x]) for x in (100.0, 90.0, 5e-324, 1.0))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert black76.value(forward, strike, stdev, sign)[0] == 10.0
        assert black76.gamma(forward, strike, stdev)[0] == 0.0
