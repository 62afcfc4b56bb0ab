"""Parameter document of `standard`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from margin.engine.documents.schema import Faults, MapOf, Record, Spec
from margin.engine.parameters.common import (
    BORROW,
    DISCOUNT,
    FRACTION,
    HEADER,
    LIQUIDATION_TO_RATIO,
    POSITIVE,
    SOURCE,
    Bands,
    Header,
    LiquidationRules,
    check_covered,
)
from margin.engine.tiers import BandTiers, MarginalTiers


@dataclass(frozen=True)
class ShortOptionRates:
    """Fractions of index and mark in the requirement of a short option (spec 30)."""

    mmr_index: float
    mmr_mark: float
    fee: float
    imr_index: float
    imr_floor: float


@dataclass(frozen=True)
class StandardParameters:
    """A version of the position-by-position standard."""

    header: Header
    futures_tiers: Mapping[str, BandTiers]
    option: ShortOptionRates
    borrow: Mapping[str, BandTiers]
    discount: Mapping[str, MarginalTiers]
    liquidation_fee_rate: float
    warning_ratio: float
    liquidation_ratio: float
    liquidation: LiquidationRules

    def check_covers(self, coins: Sequence[str], currencies: Sequence[str], faults: Faults) -> None:
        """A fault for every coin or currency that the document does not price."""
        check_covered(self.futures_tiers, "parameters.futures_tiers", coins, faults)
        check_covered(self.borrow, "parameters.borrow.tiers", currencies, faults)
        check_covered(self.discount, "parameters.discount", currencies, faults)


def _check_document(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    if fields["thresholds"]["warning_ratio"] < fields["thresholds"]["liquidation_ratio"]:
        faults.add(f"{path}.thresholds.warning_ratio", "must not be below liquidation_ratio")


def _build(**fields: Any) -> StandardParameters:
    return StandardParameters(
        header=Header(*(fields[name] for name in ("methodology", "version", "effective_from", "source"))),
        borrow=fields["borrow"]["tiers"],
        **{
            name: fields[name]
            for name in ("futures_tiers", "option", "discount", "liquidation_fee_rate", "liquidation")
        },
        **fields["thresholds"],
    )


_FIELDS: Final[dict[str, Spec]] = {
    **HEADER,
    "futures_tiers": MapOf(Bands()),
    "option": Record(
        dict.fromkeys(("mmr_index", "mmr_mark", "fee", "imr_index", "imr_floor"), FRACTION),
        build=ShortOptionRates,
    ),
    "borrow": BORROW,
    "discount": DISCOUNT,
    "liquidation_fee_rate": FRACTION,
    "thresholds": Record({"warning_ratio": POSITIVE, "liquidation_ratio": POSITIVE}),
    "liquidation": LIQUIDATION_TO_RATIO,
}

STANDARD: Final = Record(_FIELDS, SOURCE, _build, _check_document)
