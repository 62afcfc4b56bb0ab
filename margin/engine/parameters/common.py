"""Pieces that every methodology's parameter document has: header, tier tables, discounts, thresholds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import numpy as np

from margin.engine.documents.schema import (
    Faults,
    Instant,
    ListOf,
    MapOf,
    Nullable,
    Number,
    Record,
    Spec,
    Text,
    child,
)
from margin.engine.tiers import BandTiers, MarginalTiers

Value = TypeVar("Value")

#: The entry of a per-coin table that stands for every coin without one.
ANY: Final = "*"

POSITIVE: Final = Number(above=0.0)
NON_NEGATIVE: Final = Number(at_least=0.0)
FRACTION: Final = Number(at_least=0.0, at_most=1.0)
OPEN_FRACTION: Final = Number(above=0.0, below=1.0)


@dataclass(frozen=True)
class Header:
    """Which version of which methodology this is, and from when it holds."""

    methodology: str
    version: str
    effective_from: datetime
    source: str
    sha256: str = ""


@dataclass(frozen=True)
class Eligibility:
    """Minimum net equity in USD, and what happens to an account below it."""

    min_net_equity: float
    below_minimum: str
    grace_seconds: float = 0.0


@dataclass(frozen=True)
class LiquidationRules:
    """How positions are reduced (spec 50). `target_ratio` is None where a stop rate is used instead."""

    step_fraction: float
    confirmations: int
    min_order_usd: float
    futures_cost: float
    option_premium_cost: float
    option_notional_cost: float
    conversion_fee: float
    repay_order: tuple[str, ...]
    price_band: float
    max_steps: int
    min_step: float
    target_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number of at least `at_least`."""

    at_least: int

    def read(self, value: Any, path: str, faults: Faults) -> int | None:
        number = Number(at_least=self.at_least).read(value, path, faults)
        if number is None:
            return None
        if number != math.floor(number):
            faults.add(path, "must be a whole number")
            return None
        return int(number)


@dataclass(frozen=True, slots=True)
class Coin:
    """The code of a coin or currency, in capitals and digits; `also` is one more word that may stand here."""

    also: str = ""

    def read(self, value: Any, path: str, faults: Faults) -> str | None:
        code = Text().read(value, path, faults)
        if code is None or code == self.also:
            return code
        if not (code.isascii() and code.isalnum() and code == code.upper()):
            faults.add(path, "must be the code of a coin or currency, in capitals")
            return None
        return code


@dataclass(frozen=True, slots=True)
class Ascending:
    """An array of numbers, each larger than the one before."""

    item: Spec
    at_least: int = 1

    def read(self, value: Any, path: str, faults: Faults) -> tuple[float, ...] | None:
        before = len(faults)
        numbers = ListOf(self.item, self.at_least).read(value, path, faults)
        if numbers is None or len(faults) > before:
            return None
        check_ascending(numbers, path, faults)
        return numbers


def check_ascending(numbers: Sequence[float], path: str, faults: Faults, suffix: str = "") -> None:
    """A fault at the first entry that is not above the one before it."""
    for i in range(1, len(numbers)):
        if not numbers[i] > numbers[i - 1]:
            faults.add(f"{path}[{i}]{suffix}", "must be above the entry before it")
            return


@dataclass(frozen=True, slots=True)
class TierList:
    """An array of tiers with `up_to` (null in the last one only) and further named columns."""

    columns: Mapping[str, Spec]

    def read(self, value: Any, path: str, faults: Faults) -> dict[str, tuple[float, ...]] | None:
        before = len(faults)
        tier = Record({"up_to": Nullable(POSITIVE, math.inf), **self.columns})
        tiers = ListOf(tier, 1).read(value, path, faults)
        if tiers is None or len(faults) > before:
            return None
        ends = [tier["up_to"] for tier in tiers]
        check_ascending(ends, path, faults, ".up_to")
        if ends[-1] != math.inf:
            faults.add(f"{path}[{len(ends) - 1}].up_to", "must be null: the last tier is open")
        return {name: tuple(tier[name] for tier in tiers) for name in ("up_to", *self.columns)}


@dataclass(frozen=True, slots=True)
class Marginal:
    """Reads a tier list into `MarginalTiers`, with the rate under the name `column`."""

    column: str
    rate: Spec

    def read(self, value: Any, path: str, faults: Faults) -> MarginalTiers | None:
        before = len(faults)
        table = TierList({self.column: self.rate}).read(value, path, faults)
        if table is None or len(faults) > before:
            return None
        return MarginalTiers.of(table["up_to"], table[self.column])


@dataclass(frozen=True, slots=True)
class Bands:
    """Reads a tier list of `mmr` and `imr` into `BandTiers`; imr must not be below mmr."""

    def read(self, value: Any, path: str, faults: Faults) -> BandTiers | None:
        before = len(faults)
        table = TierList({"mmr": FRACTION, "imr": FRACTION}).read(value, path, faults)
        if table is None or len(faults) > before:
            return None
        for i, (mmr, imr) in enumerate(zip(table["mmr"], table["imr"], strict=True)):
            if imr < mmr:
                faults.add(f"{path}[{i}].imr", "must not be below mmr")
        return BandTiers(np.array(table["up_to"]), np.array(table["mmr"]), np.array(table["imr"]))


DISCOUNT: Final = MapOf(Marginal("rate", FRACTION))
BORROW: Final = Record({"tiers": MapOf(Bands())})

HEADER: Final[dict[str, Spec]] = {"methodology": Text(), "version": Text(), "effective_from": Instant()}
SOURCE: Final[dict[str, tuple[Spec, Any]]] = {"source": (Text(), "")}

ELIGIBILITY: Final = Record(
    {
        "min_net_equity": NON_NEGATIVE,
        "below_minimum": Text(("suspend", "revert", "keep_if_positions")),
    },
    {"grace_seconds": (NON_NEGATIVE, 0.0)},
    Eligibility,
)

_LIQUIDATION_FIELDS: Final[dict[str, Spec]] = {
    "step_fraction": Number(above=0.0, at_most=1.0),
    "confirmations": Whole(1),
    "min_order_usd": NON_NEGATIVE,
    "futures_cost": OPEN_FRACTION,
    "option_cost": Record({"premium": FRACTION, "notional": FRACTION}),
    "conversion_fee": Number(at_least=0.0, below=1.0),
    "repay_order": ListOf(Coin(also=ANY), 1),
    "price_band": OPEN_FRACTION,
    "max_steps": Whole(1),
    "min_step": OPEN_FRACTION,
}


def _liquidation_rules(option_cost: Mapping[str, float], **fields: Any) -> LiquidationRules:
    return LiquidationRules(
        option_premium_cost=option_cost["premium"], option_notional_cost=option_cost["notional"], **fields
    )


LIQUIDATION_TO_RATIO: Final = Record(
    {**_LIQUIDATION_FIELDS, "target_ratio": Number(at_least=1.0)}, build=_liquidation_rules
)
LIQUIDATION_TO_RATE: Final = Record(_LIQUIDATION_FIELDS, build=_liquidation_rules)


def for_coin(table: Mapping[str, Value], coin: str) -> Value:
    """The coin's own entry of a per-coin table, else the `*` entry; KeyError where there is neither."""
    return table[coin] if coin in table else table[ANY]


def check_covered(table: Mapping[str, Any], path: str, names: Sequence[str], faults: Faults) -> None:
    """A fault for every name that a per-coin table prices neither by itself nor by `*`."""
    if ANY in table:
        return
    for name in names:
        if name not in table:
            faults.add(child(path, name), f"has no entry for {name}, and there is no '*'")
