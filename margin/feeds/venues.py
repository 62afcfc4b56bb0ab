"""What a venue lists and quotes, as the market object of a book document. Pure: messages in, a document out.

Instruments keep the venue's own names but for spot, which is named COIN-QUOTE everywhere: at some venues a
spot pair and a perpetual share one name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

from margin.engine.instruments import Kind, Style

#: Kinds of instruments by their type in ccxt's unified markets.
_KINDS: Final = {"spot": Kind.SPOT, "swap": Kind.PERPETUAL, "future": Kind.FUTURE, "option": Kind.OPTION}
#: Currencies beside USD whose rate a market gives.
STABLE: Final = ("USDT", "USDC")
_QUOTES: Final = ("USD", *STABLE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument as a venue lists it; ``terms`` are its fields in a market object, but for prices."""

    id: str
    kind: Kind
    coin: str
    settle: str
    expiry: datetime | None
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quote:
    """The mark of an instrument in the units of a market object; None for what the venue does not quote."""

    mark: float | None
    mark_iv: float | None = None
    forward: float | None = None


@dataclass(frozen=True)
class Reading:
    """One look at a venue: index prices by pair, rates of stable currencies, quotes by instrument.

    ``as_of`` is the venue's own time of the oldest message, so that nothing in it is older than it says.
    """

    as_of: datetime
    index: Mapping[str, float]
    quotes: Mapping[str, Quote]
    fx: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class VenueMarket:
    """A market object and its moment."""

    as_of: datetime
    market: dict[str, Any]


class Venue(Protocol):
    """A venue's public data."""

    def listings(self, coins: Sequence[str]) -> list[Listing]:
        """What it lists in some coins."""

    def reading(self, coins: Sequence[str], listings: Sequence[Listing]) -> Reading:
        """How its market stands now."""


def listing_of(
    market: Mapping[str, Any], contract_size: Decimal | None, coins: Collection[str]
) -> Listing | None:
    """A unified market of ccxt as a listing; None for what a market object cannot hold.

    ``contract_size`` comes from the venue's own message as a decimal: the unified one leaves out OKX's
    multiplier, and a product of floats would be another contract than the one listed before.
    """
    kind, coin, settle = _KINDS.get(market["type"]), market["base"], market["settle"] or market["quote"]
    if (
        kind is None
        or coin not in coins
        or contract_size is None
        or "combo" in market["info"].get("kind", "")
    ):
        return None
    if kind is Kind.SPOT:
        name = f"{coin}-{settle}"
        terms = {"id": name, "kind": kind, "underlying": coin, "settle": settle}
        return Listing(name, kind, coin, settle, None, terms) if settle in _QUOTES else None
    if settle not in (coin, *STABLE):
        return None
    # A perpetual may come with an expiry at the end of all days.
    expiry = None if kind is Kind.PERPETUAL else instant(milliseconds=market["expiry"])
    terms = {
        "id": market["id"],
        "kind": kind,
        "underlying": coin,
        "style": Style.INVERSE if settle == coin else Style.LINEAR,
        "settle": settle,
        "contract_size": float(contract_size),
    }
    if expiry is not None:
        terms["expiry"] = expiry.isoformat()
    if kind is Kind.OPTION:
        terms |= {"strike": float(market["strike"]), "option_type": market["optionType"]}
    return Listing(market["id"], kind, coin, settle, expiry, terms)


def instant(*, milliseconds: int = 0, microseconds: int = 0) -> datetime:
    """The exact instant: venues expire at an hour, and a day alone would move it."""
    return _EPOCH + timedelta(milliseconds=milliseconds, microseconds=microseconds)


def market_of(listings: Iterable[Listing], reading: Reading) -> VenueMarket:
    """The market object of what is listed, alive and quoted, in coins that have an index in USD."""
    fx = {**implied_rates(reading.index), **reading.fx}
    index = dict(reading.index)
    for pair, price in reading.index.items():
        coin, _, quote = pair.rpartition("-")
        if quote in fx:
            index.setdefault(f"{coin}-USD", price * fx[quote])
    rows = [
        row
        for listing in listings
        if f"{listing.coin}-USD" in index and (listing.expiry is None or listing.expiry > reading.as_of)
        if (row := _row(listing, reading.quotes.get(listing.id))) is not None
    ]
    market = {"index": index, "fx": fx, "instruments": sorted(rows, key=lambda row: str(row["id"]))}
    return VenueMarket(reading.as_of, market)


def _row(listing: Listing, quote: Quote | None) -> dict[str, Any] | None:
    """An instrument with its prices; None where a price that it needs is not quoted."""
    if listing.kind is Kind.SPOT:
        return dict(listing.terms)
    if quote is None or quote.mark is None:
        return None
    if listing.kind is not Kind.OPTION:
        return {**listing.terms, "mark": quote.mark} if quote.mark else None
    if quote.mark_iv is None or not quote.forward:
        return None
    return {**listing.terms, "mark": quote.mark, "mark_iv": quote.mark_iv, "forward": quote.forward}


def implied_rates(index: Mapping[str, float]) -> dict[str, float]:
    """USD per stable currency, as the two indices of the first coin by name that has both imply it."""
    rates = {}
    for quote in STABLE:
        both = sorted(pair for pair in index if pair.endswith(f"-{quote}") and _in_usd(pair) in index)
        if both:
            rates[quote] = index[_in_usd(both[0])] / index[both[0]]
    return rates


def _in_usd(pair: str) -> str:
    return f"{pair.rpartition('-')[0]}-USD"


def number(value: Any) -> float | None:
    """A number of a venue's message, which may be text; None for nothing."""
    return None if value in (None, "") else float(value)


def moment(milliseconds: Iterable[Any]) -> datetime:
    """The newest of the times of one message's rows."""
    return instant(milliseconds=max(map(int, milliseconds)))
