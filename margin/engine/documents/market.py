"""The `market` object of a book document: indices, stable rates, instruments (spec 01, sections 2 and 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from margin.engine.documents.schema import (
    Faults,
    Instant,
    ListOf,
    MapOf,
    Number,
    Record,
    Spec,
    Text,
    child,
)
from margin.engine.instruments import Instrument, Instruments, Kind, OptionType, Style
from margin.engine.market import STABLE_CURRENCIES, Market

#: Bounds of the specification on every price, and on the coins or dollars of one position.
PRICE_FLOOR: Final = 1e-12
PRICE_CEILING: Final = 1e12
SIZE_CEILING: Final = 1e12

PRICE: Final = Number(at_least=PRICE_FLOOR, at_most=PRICE_CEILING)
PRICE_OR_ZERO: Final = Number(at_least=0.0, at_most=PRICE_CEILING)

_NAMES: Final[dict[str, Spec]] = {
    "id": Text(),
    "kind": Text(tuple(Kind)),
    "underlying": Text(),
    "settle": Text(),
}
_CONTRACT: Final[dict[str, Spec]] = {
    **_NAMES,
    "style": Text(tuple(Style)),
    "contract_size": Number(above=0.0, at_most=SIZE_CEILING),
    "mark": PRICE,
}
_SHAPES: Final[dict[str, Record]] = {
    Kind.SPOT: Record(
        _NAMES, {"contract_size": (Number(at_least=1.0, at_most=1.0), 1.0), "mark": (PRICE, None)}
    ),
    Kind.PERPETUAL: Record(_CONTRACT),
    Kind.FUTURE: Record({**_CONTRACT, "expiry": Instant()}),
    Kind.OPTION: Record(
        {
            **_CONTRACT,
            "mark": PRICE_OR_ZERO,
            "expiry": Instant(),
            "strike": PRICE,
            "option_type": Text(tuple(OptionType)),
            "mark_iv": Number(at_least=0.0),
            "forward": PRICE,
        }
    ),
}


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """Reads one instrument; the fields allowed are those of its kind."""

    def read(self, value: Any, path: str, faults: Faults) -> Instrument | None:
        if not isinstance(value, Mapping):
            faults.add(path, "must be an object")
            return None
        if "kind" not in value:
            faults.add(child(path, "kind"), "is required")
            return None
        kind = Text(tuple(Kind)).read(value["kind"], child(path, "kind"), faults)
        fields = _SHAPES[kind].read(value, path, faults) if kind is not None else None
        if fields is None:
            return None
        fields["kind"] = Kind(fields["kind"])
        if "style" in fields:
            fields["style"] = Style(fields["style"])
        if "option_type" in fields:
            fields["option_type"] = OptionType(fields["option_type"])
        instrument = Instrument(**fields)
        _check_settlement(instrument, path, faults)
        return instrument


def _check_settlement(instrument: Instrument, path: str, faults: Faults) -> None:
    """Linear contracts settle in USDT or USDC, inverse ones in their coin; spot is quoted in a stable one."""
    settle, where = instrument.settle, child(path, "settle")
    if instrument.underlying in STABLE_CURRENCIES:
        faults.add(child(path, "underlying"), "must be a coin, not a stable currency")
    elif instrument.style is Style.LINEAR and settle not in ("USDT", "USDC"):
        faults.add(where, "must be USDT or USDC for a linear contract")
    elif instrument.style is Style.INVERSE and settle != instrument.underlying:
        faults.add(where, f"must be {instrument.underlying} for an inverse contract")
    elif instrument.kind is Kind.SPOT and settle not in STABLE_CURRENCIES:
        faults.add(where, "must be USD, USDT or USDC for a spot instrument")


@dataclass(frozen=True)
class MarketRows:
    """A market as it was read, in document order: what faults can still point into.

    `places` maps an instrument id to its index in the document's array.
    """

    as_of: datetime
    index: Mapping[str, float]
    fx: Mapping[str, float]
    instruments: tuple[Instrument, ...]
    places: Mapping[str, int]

    def instrument(self, name: str) -> Instrument:
        """The instrument of a name that is listed."""
        return self.instruments[self.places[name]]

    def to_market(self) -> Market:
        """The columnar market, of the derivatives that are alive and whose underlying has a USD index."""
        return self._market

    @cached_property
    def _market(self) -> Market:
        usable = [
            row
            for row in self.instruments
            if f"{row.underlying}-USD" in self.index and (row.expiry is None or row.expiry > self.as_of)
        ]
        return Market(self.as_of, self.index, self.fx, Instruments.from_rows(usable))


_SHAPE: Final = Record(
    {"index": MapOf(PRICE)},
    {
        "fx": (MapOf(PRICE, keys=STABLE_CURRENCIES), {}),
        "instruments": (ListOf(InstrumentSpec()), ()),
    },
)


def read_market(value: Any, as_of: datetime, path: str, faults: Faults) -> MarketRows | None:
    """The market object at `path`; None where anything in it is at fault."""
    before = len(faults)
    fields = _SHAPE.read(value, path, faults)
    if fields is None or len(faults) > before:
        return None
    for pair in fields["index"]:
        coin, _, quote = pair.rpartition("-")
        if not coin or coin in STABLE_CURRENCIES or quote not in STABLE_CURRENCIES:
            faults.add(
                f"{path}.index.{pair}", "unknown field: an index is named COIN-USD, COIN-USDT or COIN-USDC"
            )
    if fields["fx"].get("USD", 1.0) != 1.0:
        faults.add(f"{path}.fx.USD", "must be 1")
    places = _places(fields["instruments"], path, faults)
    rows = MarketRows(as_of, fields["index"], fields["fx"], fields["instruments"], places)
    return rows if len(faults) == before else None


def _places(instruments: tuple[Instrument, ...], path: str, faults: Faults) -> dict[str, int]:
    places: dict[str, int] = {}
    for i, row in enumerate(instruments):
        if row.id in places:
            faults.add(f"{path}.instruments[{i}].id", f"repeats instrument {row.id}")
        places.setdefault(row.id, i)
    return places
