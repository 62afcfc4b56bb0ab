"""The random walk under the demo market: one row of state per coin, moved by correlated shocks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from pmplatform.demo.coins import COINS

FloatArray = npt.NDArray[np.float64]

SECONDS_PER_YEAR: Final = 365.0 * 86_400.0

_CORRELATION: Final = 0.7
_PULL_PER_YEAR: Final = 60.0
_IV_VOL: Final = 1.1
_CARRY_VOL: Final = 0.25
_PREMIUM_VOL: Final = 0.008
_TETHER_VOL: Final = 0.004
_TETHER_MEAN: Final = 0.9995


@dataclass(frozen=True)
class State:
    """Where the market stands; the arrays are ordered as `COINS`.

    `iv_level` is the log of implied over long-run volatility, `carry` an annual rate, `premium` the
    relative distance of perpetuals from their index, `tether` USD per USDT and `usdc` USD per USDC.
    """

    price: FloatArray
    iv_level: FloatArray
    carry: FloatArray
    premium: FloatArray
    tether: float
    usdc: float = 1.0

    @classmethod
    def first(cls, rng: np.random.Generator) -> Self:
        """A start near every coin's usual price."""
        count = len(COINS)
        return cls(
            price=np.array([coin.price for coin in COINS]) * np.exp(0.02 * rng.standard_normal(count)),
            iv_level=0.05 * rng.standard_normal(count),
            carry=np.array([coin.carry for coin in COINS]) + 0.01 * rng.standard_normal(count),
            premium=0.0003 * rng.standard_normal(count),
            tether=_TETHER_MEAN,
        )

    def moved(self, seconds: float, rng: np.random.Generator) -> Self:
        """The state `seconds` later: prices diffuse, everything else is pulled back to its mean."""
        years = seconds / SECONDS_PER_YEAR
        shocks = _correlated(rng) * np.sqrt(years)
        vol = np.array([coin.vol for coin in COINS]) * np.exp(self.iv_level)
        noise = rng.standard_normal((3, len(COINS))) * np.sqrt(years)
        keep = float(np.exp(-_PULL_PER_YEAR * years))
        usual_carry = np.array([coin.carry for coin in COINS])
        tether_shock = _TETHER_VOL * float(rng.standard_normal()) * float(np.sqrt(years))
        return type(self)(
            price=self.price * np.exp(vol * shocks - 0.5 * vol * vol * years),
            # Volatility rises as prices fall.
            iv_level=keep * self.iv_level + _IV_VOL * (0.8 * noise[0] - 0.6 * shocks),
            carry=usual_carry + keep * (self.carry - usual_carry) + _CARRY_VOL * noise[1],
            premium=keep * self.premium + _PREMIUM_VOL * noise[2],
            tether=_TETHER_MEAN + keep * (self.tether - _TETHER_MEAN) + tether_shock,
            usdc=self.usdc,
        )

    def driven(self, factors: Mapping[str, float], iv_rises: Mapping[str, float]) -> Self:
        """The state with each price, of a coin or a stable currency, times its factor, 1 where it has none.

        `iv_rises` are added to the log of implied volatility, by coin.
        """
        return replace(
            self,
            price=self.price * [factors.get(coin.name, 1.0) for coin in COINS],
            iv_level=self.iv_level + [iv_rises.get(coin.name, 0.0) for coin in COINS],
            tether=self.tether * factors.get("USDT", 1.0),
            usdc=self.usdc * factors.get("USDC", 1.0),
        )


def _correlated(rng: np.random.Generator) -> FloatArray:
    """Standard normal shocks by coin that share one market factor."""
    common, own = rng.standard_normal(), rng.standard_normal(len(COINS))
    return np.asarray(np.sqrt(_CORRELATION) * common + np.sqrt(1.0 - _CORRELATION) * own, dtype=np.float64)
