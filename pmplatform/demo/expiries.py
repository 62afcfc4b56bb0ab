"""Expiry instants of the demo world: every contract expires at 08:00 UTC."""

import calendar
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Final, Self

_EXPIRY_TIME: Final = time(8, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The listed expiries by term; an instant stands in one term only."""

    dailies: tuple[datetime, ...]
    weeklies: tuple[datetime, ...]
    monthlies: tuple[datetime, ...]
    quarterlies: tuple[datetime, ...]

    @classmethod
    def after(cls, as_of: datetime) -> Self:
        """Two dailies, two weeklies, two monthlies and three quarterlies, all strictly after `as_of`."""
        dailies = _take(2, _days(as_of), ())
        month_ends = list(islice(_month_ends(as_of), 15))
        quarterlies = _take(3, (day for day in month_ends if day.month % 3 == 0), dailies)
        weeklies = _take(
            2, (day for day in _days(as_of) if day.weekday() == calendar.FRIDAY), dailies + quarterlies
        )
        monthlies = _take(2, (day for day in month_ends if day.month % 3), dailies + weeklies)
        return cls(dailies, weeklies, monthlies, quarterlies)

    @property
    def every(self) -> tuple[datetime, ...]:
        """All expiries, ascending."""
        return tuple(sorted(self.dailies + self.weeklies + self.monthlies + self.quarterlies))

    @property
    def futures(self) -> tuple[datetime, ...]:
        """The expiries that carry a dated future, ascending."""
        return tuple(sorted((self.weeklies[0], self.monthlies[0], *self.quarterlies[:2])))


def _take(count: int, days: Iterable[datetime], taken: tuple[datetime, ...]) -> tuple[datetime, ...]:
    return tuple(islice((day for day in days if day not in taken), count))


def _days(as_of: datetime) -> Iterator[datetime]:
    day = datetime.combine(as_of.astimezone(UTC).date(), _EXPIRY_TIME)
    while True:
        if day > as_of:
            yield day
        day += timedelta(days=1)


def _month_ends(as_of: datetime) -> Iterator[datetime]:
    """The last Friday of every month."""
    for day in _days(as_of):
        if day.weekday() == calendar.FRIDAY and (day + timedelta(days=7)).month != day.month:
            yield day
