"""What the demo market lists: contracts come as time brings new expiries near, and go as they expire."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pmplatform.demo.coins import COINS, Coin
from pmplatform.demo.expiries import Ladder
from pmplatform.demo.options import Series


@dataclass(frozen=True)
class Listing:
    """The expiries that carry futures, ascending, and the option series by coin and expiry."""

    futures: tuple[datetime, ...] = ()
    series: tuple[Series, ...] = ()

    def at(self, as_of: datetime, list_series: Callable[[Coin, datetime], Series]) -> Self:
        """The listing as it is at a later time.

        What was listed stays until it expires, also where the ladder names its expiry no more; what the
        ladder of that time names and is not listed yet is made by `list_series`.
        """
        ladder = Ladder.after(as_of)
        futures = {expiry for expiry in self.futures if expiry > as_of}
        series = {(each.coin.name, each.expiry): each for each in self.series if each.expiry > as_of}
        for coin in COINS:
            for expiry in ladder.every if coin.option_settle else ():
                if (coin.name, expiry) not in series:
                    series[coin.name, expiry] = list_series(coin, expiry)
        ordered = sorted(series.values(), key=lambda each: (COINS.index(each.coin), each.expiry))
        return type(self)(tuple(sorted(futures | set(ladder.futures))), tuple(ordered))

    def has_expired(self, as_of: datetime) -> bool:
        """Whether anything listed has expired by a time."""
        return any(expiry <= as_of for expiry in (*self.futures, *(each.expiry for each in self.series)))
