"""The invented coins of the demo world: where each starts, how it moves, and how its contracts are cut."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Coin:
    """What does not change about one underlying.

    `price` is its first USD index, `vol` the annual volatility that its walk and its smile are built on,
    `skew` the slope of the smile (negative: puts are dearer) and `carry` the annual premium of its forwards.
    Contract sizes are coins for linear contracts and options, USD for inverse ones.
    `option_settle` is empty where no options are listed.
    """

    name: str
    price: float
    vol: float
    skew: float
    carry: float
    linear_size: float
    inverse_size: float
    option_size: float
    option_settle: str


COINS: Final = (
    Coin("BTC", 102_000.0, 0.52, -0.06, 0.09, 0.01, 100.0, 0.01, "BTC"),
    Coin("ETH", 3_250.0, 0.66, -0.04, 0.08, 0.1, 10.0, 0.1, "ETH"),
    Coin("SOL", 245.0, 0.88, 0.02, 0.11, 1.0, 10.0, 1.0, "USDC"),
    Coin("DOGE", 0.36, 1.02, 0.04, 0.10, 1000.0, 10.0, 1000.0, ""),
)
