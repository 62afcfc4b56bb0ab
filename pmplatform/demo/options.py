"""Option series of the demo world: strikes, smile, and Black-76 marks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine import black76
from pmplatform.demo.coins import Coin

FloatArray = npt.NDArray[np.float64]

_STRIKES_A_SIDE: Final = 10
_WIDEST: Final = 0.7
_NICE_STEPS: Final = (1.0, 2.0, 2.5, 5.0)
_CURVATURE: Final = 0.035
_SHORT_END: Final = 0.12
_TERM_YEARS: Final = 0.2
_SMILE_FLOOR_YEARS: Final = 7.0 / 365.0


@dataclass(frozen=True)
class Series:
    """All options of one coin and expiry; `strikes` are fixed when the series is listed."""

    coin: Coin
    expiry: datetime
    strikes: FloatArray

    def rows(self, forward: float, spot: float, iv_level: float, years: float) -> list[dict[str, Any]]:
        """Instruments at a forward price, `years` before expiry.

        `forward` and `spot` are in the quote currency of the series' settlement group; the marks of a
        coin-settled series are in coin.
        """
        iv = np.round(smile(self.coin, self.strikes / forward, iv_level, years), 6)
        stdev, at = iv * np.sqrt(years), np.full_like(self.strikes, forward)
        unit = spot if self.coin.option_settle == self.coin.name else 1.0
        rows: list[dict[str, Any]] = []
        for option_type, sign in (("call", 1.0), ("put", -1.0)):
            values = black76.value(at, self.strikes, stdev, np.full_like(self.strikes, sign)) / unit
            marks = np.round(np.maximum(values, 0.0), 8)
            rows += [
                self._row(option_type, float(strike), float(mark), float(vol), forward)
                for strike, mark, vol in zip(self.strikes, marks, iv, strict=True)
            ]
        return rows

    def _row(self, option_type: str, strike: float, mark: float, iv: float, forward: float) -> dict[str, Any]:
        coin, settle = self.coin, self.coin.option_settle
        inverse = settle == coin.name
        family = f"{coin.name}-{'USD' if inverse else settle}"
        return {
            "id": f"{family}-{self.expiry:%y%m%d}-{strike:.10g}-{option_type[0].upper()}",
            "kind": "option",
            "underlying": coin.name,
            "style": "inverse" if inverse else "linear",
            "settle": settle,
            "contract_size": coin.option_size,
            "expiry": self.expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "strike": strike,
            "option_type": option_type,
            "mark": mark,
            "mark_iv": iv,
            "forward": forward,
        }


def smile(coin: Coin, moneyness: FloatArray, iv_level: float, years: float) -> FloatArray:
    """Annual implied volatility by strike over forward: sloped, curved, and dearer at the short end."""
    at_the_money = coin.vol * np.exp(iv_level) * (1.0 + _SHORT_END * np.exp(-years / _TERM_YEARS))
    reach = np.log(moneyness) / (coin.vol * np.sqrt(max(years, _SMILE_FLOOR_YEARS)))
    shape = 1.0 + coin.skew * reach + _CURVATURE * reach * reach
    return np.asarray(at_the_money * np.clip(shape, 0.6, 2.0), dtype=np.float64)


def strikes_around(coin: Coin, forward: float, years: float) -> FloatArray:
    """Round strikes, evenly spaced on both sides of the forward, wider for a longer term."""
    half_width = forward * min(2.5 * coin.vol * np.sqrt(years + 1.0 / 365.0), _WIDEST)
    step = _nice_below(half_width / _STRIKES_A_SIDE)
    centre = round(forward / step)
    return np.round(step * np.arange(centre - _STRIKES_A_SIDE, centre + _STRIKES_A_SIDE + 1), 8)


def _nice_below(value: float) -> float:
    """The largest of 1, 2, 2.5 and 5 times a power of ten that is not above `value`."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in _NICE_STEPS if step * power <= value * (1.0 + 1e-12)) * power)
