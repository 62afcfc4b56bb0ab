"""OKX: instruments, mark prices, the option summary and index tickers of its public API."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from margin.feeds.venues import STABLE, Listing, Quote, Reading, listing_of, moment, number

#: The coins that it lists options on.
_OPTION_COINS: Final = ("BTC", "ETH")
_TYPES: Final = ("SWAP", "FUTURES", "OPTION")


class Okx:
    """Reads OKX through a client of ccxt."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def listings(self, coins: Sequence[str]) -> list[Listing]:
        self._client.options["defaultUnderlying"] = [f"{coin}-USD" for coin in _with_options(coins)]
        markets = self._client.fetch_markets()
        found = [listing_of(market, _contract_size(market), coins) for market in markets]
        return [listing for listing in found if listing is not None]

    def reading(self, coins: Sequence[str], listings: Sequence[Listing]) -> Reading:
        indices = [self._client.public_get_market_index_tickers({"quoteCcy": c}) for c in ("USD", *STABLE)]
        marks = [self._client.public_get_public_mark_price({"instType": name}) for name in _TYPES]
        summaries = [
            self._client.public_get_public_opt_summary({"instFamily": f"{coin}-USD"})
            for coin in _with_options(coins)
        ]
        levels = {row["instId"]: float(row["idxPx"]) for answer in indices for row in answer["data"]}
        return Reading(
            as_of=min(_times(indices + marks + summaries)),
            index={pair: price for pair, price in levels.items() if pair.rpartition("-")[0] in coins},
            quotes=quotes_of(marks, summaries),
            fx={name: levels[f"{name}-USD"] for name in STABLE if f"{name}-USD" in levels},
        )


def quotes_of(marks: Sequence[Mapping[str, Any]], summaries: Sequence[Mapping[str, Any]]) -> dict[str, Quote]:
    """Quotes by instrument: marks, and what the option summaries add to those of options."""
    options = {row["instId"]: row for answer in summaries for row in answer["data"]}
    quotes = {}
    for answer in marks:
        for row in answer["data"]:
            option = options.get(row["instId"], {})
            quotes[row["instId"]] = Quote(
                number(row["markPx"]), number(option.get("markVol")), number(option.get("fwdPx"))
            )
    return quotes


def _with_options(coins: Sequence[str]) -> list[str]:
    return [coin for coin in coins if coin in _OPTION_COINS]


def _contract_size(market: Mapping[str, Any]) -> Decimal | None:
    """Value times multiplier; None for a contract that counts neither coins nor, being inverse, dollars."""
    info = market["info"]
    if market["spot"]:
        return Decimal(1)
    counted = "USD" if market["settle"] == market["base"] and not market["option"] else market["base"]
    if info["ctValCcy"] != counted:
        return None
    return Decimal(info["ctVal"]) * Decimal(info["ctMult"] or 1)


def _times(answers: Sequence[Mapping[str, Any]]) -> Iterator[datetime]:
    """When each message was true; one without rows says nothing."""
    return (moment(row["ts"] for row in answer["data"]) for answer in answers if answer["data"])
