"""Venues as they are now, over their public APIs: needs ccxt, the extra ``venues``."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from datetime import datetime, timedelta
from typing import Any, Final

from margin.feeds.bybit import Bybit
from margin.feeds.deribit import Deribit
from margin.feeds.okx import Okx
from margin.feeds.venues import Listing, Venue, VenueMarket, market_of

try:
    import ccxt
except ImportError:
    ccxt = None

VENUES: Final[Mapping[str, Callable[[Any], Venue]]] = {"okx": Okx, "bybit": Bybit, "deribit": Deribit}
#: Listings change by the day; quotes of one that is new wait for so long.
_LISTINGS_FOR: Final = timedelta(minutes=10)


class VenueUnavailable(Exception):
    """A venue that did not answer, or not as expected; says why."""


class LiveFeed:
    """A venue's market in some coins, to be read again and again."""

    def __init__(self, venue: Venue, coins: Sequence[str]) -> None:
        self._venue, self._coins = venue, coins
        self._listings: list[Listing] = []
        self._listed_at: datetime | None = None

    def read(self, now: datetime) -> VenueMarket:
        """The market as it is; VenueUnavailable."""
        try:
            if self._listed_at is None or now - self._listed_at > _LISTINGS_FOR:
                self._listings, self._listed_at = self._venue.listings(self._coins), now
            return market_of(self._listings, self._venue.reading(self._coins, self._listings))
        except ccxt.BaseError as error:
            raise VenueUnavailable(f"{type(error).__name__}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise VenueUnavailable(f"unexpected answer: {type(error).__name__} {error}") from error


def client_open(name: str, url: str | None = None) -> AbstractContextManager[Any]:
    """A client of a venue's public API, at another address where one is given (a region's, say).

    Raises
    ------
    VenueUnavailable
        Where ccxt is not installed.
    """
    if ccxt is None:
        raise VenueUnavailable("ccxt is not installed; install the extra `venues`")
    client = getattr(ccxt, name)({"enableRateLimit": True, "timeout": 10_000})
    if url is not None:
        client.urls["api"] = dict.fromkeys(client.urls["api"], url)
    return closing(client)
