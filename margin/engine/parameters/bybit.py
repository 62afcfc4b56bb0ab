"""Parameter document of `bybit-uta`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.documents.schema import Faults, ListOf, MapOf, Number, Record, Spec
from margin.engine.parameters.common import (
    BORROW,
    DISCOUNT,
    ELIGIBILITY,
    FRACTION,
    HEADER,
    LIQUIDATION_TO_RATE,
    NON_NEGATIVE,
    OPEN_FRACTION,
    POSITIVE,
    SOURCE,
    Ascending,
    Coin,
    Eligibility,
    Header,
    LiquidationRules,
    check_covered,
)
from margin.engine.tiers import BandTiers, MarginalTiers


@dataclass(frozen=True)
class VolPower:
    """IV shift that decays with maturity: `1 + s * (reference / max(D, cap))^power`."""

    up: float
    down: float
    power: float
    reference_days: float
    cap_days: float

    def factors(self, days: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """IV factor of the columns down, same, up at whole days `D`; shape (I, 3)."""
        scale = (self.reference_days / np.maximum(days, self.cap_days)) ** self.power
        return np.stack([1.0 - self.down * scale, np.ones_like(scale), 1.0 + self.up * scale], axis=-1)


@dataclass(frozen=True)
class SpotBasis:
    """Basis part of the delta spread: factor on the weighted basis, and the threshold it must pass."""

    factor: float
    threshold: float


@dataclass(frozen=True)
class BybitParameters:
    """A version of `bybit-uta`. Per-coin tables have a `*` entry for every other coin."""

    header: Header
    price_moves: Mapping[str, Sequence[float]]
    vol: VolPower
    near_expiry_seconds: float
    short_option: Mapping[str, float]
    vega_spread: Mapping[str, float]
    stablecoin_spread: Mapping[str, float]
    delta_spread: Mapping[str, float]
    spot_basis: Mapping[str, SpotBasis]
    spot_hedge_coins: tuple[str, ...]
    perp_futures: Mapping[str, float]
    im_factor: Mapping[str, float]
    borrow: Mapping[str, BandTiers]
    discount: Mapping[str, MarginalTiers]
    warning_rate: float
    repay_rate: float
    liquidation_rate: float
    stop_rate: float
    eligibility: Eligibility
    liquidation: LiquidationRules

    @property
    def liquidation_ratio(self) -> float:
        """The liquidation rate, of requirement to equity base, turned over into a margin ratio."""
        return 1.0 / self.liquidation_rate

    def check_covers(self, coins: Sequence[str], currencies: Sequence[str], faults: Faults) -> None:
        """A fault for every coin or currency that the document does not price."""
        for name in _PER_COIN:
            check_covered(getattr(self, name), f"parameters.{name}", coins, faults)
        check_covered(self.borrow, "parameters.borrow.tiers", currencies, faults)
        check_covered(self.discount, "parameters.discount", currencies, faults)


_PER_COIN: Final = (
    "price_moves",
    "short_option",
    "vega_spread",
    "stablecoin_spread",
    "delta_spread",
    "spot_basis",
    "perp_futures",
    "im_factor",
)
_AS_READ: Final = (
    *_PER_COIN,
    "vol",
    "near_expiry_seconds",
    "spot_hedge_coins",
    "discount",
    "eligibility",
    "liquidation",
)
_RATES: Final = ("warning_rate", "repay_rate", "stop_rate", "liquidation_rate")


def _check_document(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    """Thresholds rise from the warning to the liquidation."""
    thresholds = fields["thresholds"]
    for lower, upper in pairwise(_RATES):
        if thresholds[lower] > thresholds[upper]:
            faults.add(f"{path}.thresholds.{upper}", f"must not be below {lower}")


def _build(**fields: Any) -> BybitParameters:
    return BybitParameters(
        header=Header(*(fields[name] for name in ("methodology", "version", "effective_from", "source"))),
        borrow=fields["borrow"]["tiers"],
        **{name: fields[name] for name in _AS_READ},
        **fields["thresholds"],
    )


_FIELDS: Final[dict[str, Spec]] = {
    **HEADER,
    "price_moves": MapOf(Ascending(OPEN_FRACTION)),
    "vol": Record(
        {
            "up": NON_NEGATIVE,
            "down": Number(at_least=0.0, below=1.0),
            "power": NON_NEGATIVE,
            "reference_days": POSITIVE,
            "cap_days": POSITIVE,
        },
        build=VolPower,
    ),
    "near_expiry_seconds": POSITIVE,
    "short_option": MapOf(FRACTION),
    "vega_spread": MapOf(FRACTION),
    "stablecoin_spread": MapOf(FRACTION),
    "delta_spread": MapOf(FRACTION),
    "spot_basis": MapOf(Record({"factor": FRACTION, "threshold": FRACTION}, build=SpotBasis)),
    "spot_hedge_coins": ListOf(Coin()),
    "perp_futures": MapOf(FRACTION),
    "im_factor": MapOf(Number(at_least=1.0)),
    "borrow": BORROW,
    "discount": DISCOUNT,
    "thresholds": Record(dict.fromkeys(_RATES, POSITIVE)),
    "eligibility": ELIGIBILITY,
    "liquidation": LIQUIDATION_TO_RATE,
}

BYBIT_UTA: Final = Record(_FIELDS, SOURCE, _build, _check_document)
