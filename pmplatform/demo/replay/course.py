"""The course of a replay: what each bar does to the demo market. Pure.

Bars give returns, not levels: a currency moves from wherever the demo market has it. A coin without a series
of its own moves with BTC. Implied volatility rises and falls with the drawdown of its coin.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from pmplatform.demo.coins import COINS
from pmplatform.demo.replay.recording import Bar

#: Log of implied volatility for a whole drawdown: at half of its peak a coin's volatility is e times as high.
IV_PER_DRAWDOWN: Final = 2.0
RULE: Final = (
    f"Every implied volatility of a coin is its own times exp({IV_PER_DRAWDOWN:g} x drawdown), the drawdown "
    "being what the coin has lost from its highest price of the replay."
)
_LEADER: Final = "BTC"


@dataclass(frozen=True)
class Move:
    """One step of the market.

    Attributes
    ----------
    recorded : when the bar was recorded that the step leads to.
    seconds : how long the step takes.
    factors : by which prices of coins and rates of stable currencies are multiplied.
    iv_rises : what is added to the log of implied volatility, by coin.
    levels : price of every currency relative to the start of the replay.
    """

    recorded: datetime
    seconds: float
    factors: Mapping[str, float]
    iv_rises: Mapping[str, float]
    levels: Mapping[str, float]


@dataclass
class _Peaks:
    """Each coin's level and its highest so far."""

    levels: dict[str, float] = field(default_factory=dict)
    highest: dict[str, float] = field(default_factory=dict)

    def move(self, currency: str, factor: float) -> float:
        """Move a level; returns by how much its drawdown has grown."""
        before = self._drawdown(currency)
        self.levels[currency] = self.levels.get(currency, 1.0) * factor
        self.highest[currency] = max(self.highest.get(currency, 1.0), self.levels[currency])
        return self._drawdown(currency) - before

    def _drawdown(self, currency: str) -> float:
        return 1.0 - self.levels.get(currency, 1.0) / self.highest.get(currency, 1.0)


def thinned(bars: Sequence[Bar], every: int) -> list[Bar]:
    """Every so many-th bar, and the last one."""
    kept = list(bars[::every])
    return kept if kept[-1] is bars[-1] else [*kept, bars[-1]]


def moves(bars: Sequence[Bar], between: int = 0) -> Iterator[Move]:
    """What the market does from the first bar to the last.

    With `between` so many more steps lie between two bars, which divide their return and time evenly.
    """
    peaks, parts = _Peaks(), between + 1
    coins = {coin.name for coin in COINS}
    for before, bar in pairwise(bars):
        span: timedelta = bar.at - before.at
        returns = {name: (price / before.prices[name]) ** (1.0 / parts) for name, price in bar.prices.items()}
        factors = returns | dict.fromkeys(coins - returns.keys(), returns[_LEADER])
        for _ in range(parts):
            rises = {name: IV_PER_DRAWDOWN * peaks.move(name, factor) for name, factor in factors.items()}
            yield Move(
                recorded=bar.at,
                seconds=span.total_seconds() / parts,
                factors=factors,
                iv_rises={name: rise for name, rise in rises.items() if name in coins},
                levels=dict(peaks.levels),
            )
