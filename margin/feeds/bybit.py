"""Bybit: instruments and tickers of its public API. Contracts are one coin, inverse ones one dollar."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from margin.engine.instruments import Kind
from margin.feeds.venues import STABLE, Listing, Quote, Reading, listing_of, moment, number

_CONTRACT: Final = Decimal(1)


class Bybit:
    """Reads Bybit through a client of ccxt."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def listings(self, coins: Sequence[str]) -> list[Listing]:
        self._client.options["fetchMarkets"] = {
            "types": ["spot", "linear", "inverse", "option"],
            "options": list(coins),
            "loadAllOptions": True,
        }
        found = [listing_of(market, _CONTRACT, coins) for market in self._client.fetch_markets()]
        return [listing for listing in found if listing is not None]

    def reading(self, coins: Sequence[str], listings: Sequence[Listing]) -> Reading:
        asked: list[dict[str, str]] = [{"category": "linear"}, {"category": "inverse"}]
        asked += [{"category": "option", "baseCoin": coin} for coin in coins]
        answers = [self._client.public_get_v5_market_tickers(params) for params in asked]
        rows = {row["symbol"]: row for answer in answers for row in answer["result"]["list"]}
        return Reading(
            as_of=min(moment([answer["time"]]) for answer in answers),
            index=dict(_indices(listings, rows)),
            quotes={name: _quote(row) for name, row in rows.items()},
        )


def _indices(
    listings: Sequence[Listing], rows: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, float]]:
    """Index prices as the perpetuals give them: each in the currency that its contract is quoted in."""
    for listing in listings:
        price = number(rows.get(listing.id, {}).get("indexPrice"))
        if listing.kind is Kind.PERPETUAL and price is not None:
            yield f"{listing.coin}-{listing.settle if listing.settle in STABLE else 'USD'}", price


def _quote(row: Mapping[str, Any]) -> Quote:
    return Quote(number(row["markPrice"]), number(row.get("markIv")), number(row.get("underlyingPrice")))
