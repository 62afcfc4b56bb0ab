"""Deribit: instruments, book summaries and index prices of its public API."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from margin.engine.instruments import Kind
from margin.feeds.venues import STABLE, Listing, Quote, Reading, instant, listing_of, number

_PER_CENT: Final = Decimal(100)


class Deribit:
    """Reads Deribit through a client of ccxt."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def listings(self, coins: Sequence[str]) -> list[Listing]:
        found = [listing_of(market, _contract_size(market), coins) for market in self._client.fetch_markets()]
        return [listing for listing in found if listing is not None]

    def reading(self, coins: Sequence[str], listings: Sequence[Listing]) -> Reading:
        known = self._client.public_get_get_index_price_names()["result"]
        names = {f"{coin}-{quote}": f"{coin}_{quote}".lower() for coin in coins for quote in ("USD", *STABLE)}
        indices = {
            pair: self._client.public_get_get_index_price({"index_name": name})
            for pair, name in names.items()
            if name in known
        }
        settled_in = sorted({listing.settle for listing in listings if listing.kind is not Kind.SPOT})
        summaries = [
            self._client.public_get_get_book_summary_by_currency({"currency": currency})
            for currency in settled_in
        ]
        return Reading(
            as_of=min(_time(answer) for answer in (*indices.values(), *summaries)),
            index={pair: float(answer["result"]["index_price"]) for pair, answer in indices.items()},
            quotes={row["instrument_name"]: _quote(row) for answer in summaries for row in answer["result"]},
        )


def _quote(row: Mapping[str, Any]) -> Quote:
    """Its volatilities are in per cent; they are divided as decimals, lest 55.3 be other than 0.553."""
    volatility = row.get("mark_iv")
    return Quote(
        mark=number(row.get("mark_price")),
        mark_iv=None if volatility is None else float(Decimal(str(volatility)) / _PER_CENT),
        forward=number(row.get("underlying_price")),
    )


def _contract_size(market: Mapping[str, Any]) -> Decimal:
    return Decimal(1) if market["spot"] else Decimal(str(market["info"]["contract_size"]))


def _time(answer: Mapping[str, Any]) -> datetime:
    """When the venue answered, which it says in microseconds."""
    return instant(microseconds=int(answer["usOut"]))
