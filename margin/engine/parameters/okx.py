"""Parameter documents of `okx-2025` and `okx-classic`: one family, a few fields apart."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.documents.schema import Faults, Flag, ListOf, MapOf, Nullable, Number, Record, Spec, Text
from margin.engine.parameters.classes import CLASSES, AssetClasses, ByClass
from margin.engine.parameters.common import (
    BORROW,
    DISCOUNT,
    ELIGIBILITY,
    FRACTION,
    HEADER,
    LIQUIDATION_TO_RATIO,
    NON_NEGATIVE,
    OPEN_FRACTION,
    POSITIVE,
    SOURCE,
    Ascending,
    Coin,
    Eligibility,
    Header,
    LiquidationRules,
    Marginal,
    check_ascending,
    check_covered,
)
from margin.engine.scenarios import ShiftType, VolShift
from margin.engine.tiers import BandTiers, MarginalTiers


@dataclass(frozen=True)
class OptionCharge:
    """MR7 of one option: slippage and taker fee as fractions of the index, the fee capped by the premium."""

    slippage: float
    taker_fee: float
    fee_cap: float


@dataclass(frozen=True)
class RateCurves:
    """MR5: shifts of the rate curve, one row each; linear between tenors, flat outside."""

    tenor_days: npt.NDArray[np.float64]
    curves: npt.NDArray[np.float64]

    def shifts(self, days: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Rate shift of every curve at each maturity; shape (I, K)."""
        return np.stack([np.interp(days, self.tenor_days, curve) for curve in self.curves], axis=-1)


@dataclass(frozen=True, eq=False)
class DepegRates:
    """MR9: rate by hedged size (marginal tiers) and pair price (linear between nodes, flat outside)."""

    size_tiers: tuple[float, ...]
    price_nodes: npt.NDArray[np.float64]
    rates: npt.NDArray[np.float64]
    include_spot: bool

    def at(self, price: float) -> MarginalTiers:
        """The marginal tiers that hold at a pair price `p <= 1`."""
        rates = [float(np.interp(price, self.price_nodes, row)) for row in self.rates]
        return MarginalTiers.of(self.size_tiers, rates)


@dataclass(frozen=True)
class OkxParameters:
    """What `okx-2025` and `okx-classic` have in common.

    `mr4_flat`, `mr4_annualized` and `depeg` belong to okx-2025; `forward_move`, `basis_move` and
    `mr4_include_spot` to okx-classic. The other family's fields are None.
    """

    header: Header
    price_moves: ByClass
    vol_shift: VolShift
    decay_hours: float
    twist_factor: float
    rate_curves: RateCurves
    extreme_move: ByClass
    extreme_loss_factor: float
    futures_rate: ByClass
    option_charge: OptionCharge
    minimum_charge_tiers: ByClass
    borrow: Mapping[str, BandTiers]
    imr_factor: float
    liquidation_fee_rate: float
    discount: Mapping[str, MarginalTiers]
    warning_ratio: float
    liquidation_ratio: float
    eligibility: Eligibility
    liquidation: LiquidationRules
    mr4_flat: ByClass | None = None
    mr4_annualized: ByClass | None = None
    depeg: DepegRates | None = None
    forward_move: ByClass | None = None
    basis_move: ByClass | None = None
    mr4_include_spot: bool | None = None

    def check_covers(self, coins: Sequence[str], currencies: Sequence[str], faults: Faults) -> None:
        """A fault for every currency that the document does not price."""
        check_covered(self.borrow, "parameters.mr8.tiers", currencies, faults)
        check_covered(self.discount, "parameters.discount", currencies, faults)


def _by_class(item: Spec) -> MapOf:
    return MapOf(item, required=CLASSES, keys=CLASSES)


_CLASS_LISTS: Final = Record({"tier1": ListOf(Coin()), "tier2": ListOf(Coin())}, build=AssetClasses)
_OWN_CLASSES: Final[dict[str, tuple[Spec, Any]]] = {"asset_classes": (_CLASS_LISTS, None)}


def _check_vol_shift(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    nodes = fields["nodes"]
    check_ascending([node["days"] for node in nodes], f"{path}.nodes", faults, ".days")
    for i, node in enumerate(nodes):
        if fields["unit"] == ShiftType.RELATIVE and node["shift"] >= 1.0:
            faults.add(
                f"{path}.nodes[{i}].shift", "must be below 1: a relative shift down must leave volatility"
            )


def _vol_shift(unit: str, nodes: Sequence[Mapping[str, float]], min_vol: float) -> VolShift:
    days, shifts = ([node[name] for node in nodes] for name in ("days", "shift"))
    return VolShift(ShiftType(unit), np.array(days), np.array(shifts), min_vol)


_VOL_SHIFT: Final = Record(
    {
        "unit": Text(tuple(ShiftType)),
        "nodes": ListOf(Record({"days": NON_NEGATIVE, "shift": Number(at_least=0.0, at_most=10.0)}), 1),
        "min_vol": Number(above=0.0, at_most=10.0),
    },
    build=_vol_shift,
    check=_check_vol_shift,
)


def _check_curves(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    for i, curve in enumerate(fields["curves"]):
        if len(curve) != len(fields["tenor_days"]):
            faults.add(f"{path}.curves[{i}]", "must have one rate for every entry of tenor_days")


def _rate_curves(
    tenor_days: Sequence[float], curves: Sequence[Sequence[float]], asset_classes: AssetClasses | None
) -> RateCurves:
    return RateCurves(np.array(tenor_days), np.array(curves))


_RATE_CURVES: Final = Record(
    {"tenor_days": Ascending(POSITIVE), "curves": ListOf(ListOf(Number(at_least=-1.0, at_most=1.0)), 1)},
    _OWN_CLASSES,
    _rate_curves,
    _check_curves,
)


def _check_depeg(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    check_ascending(fields["size_tiers"], f"{path}.size_tiers", faults)
    if fields["size_tiers"][-1] != math.inf:
        faults.add(
            f"{path}.size_tiers[{len(fields['size_tiers']) - 1}]", "must be null: the last tier is open"
        )
    if len(fields["rates"]) != len(fields["size_tiers"]):
        faults.add(f"{path}.rates", "must have one row for every entry of size_tiers")
    for i, row in enumerate(fields["rates"]):
        if len(row) != len(fields["price_nodes"]):
            faults.add(f"{path}.rates[{i}]", "must have one rate for every entry of price_nodes")


def _depeg(
    size_tiers: Sequence[float],
    price_nodes: Sequence[float],
    rates: Sequence[Sequence[float]],
    include_spot: bool,
) -> DepegRates:
    return DepegRates(tuple(size_tiers), np.array(price_nodes), np.array(rates), include_spot)


_DEPEG: Final = Record(
    {
        "size_tiers": ListOf(Nullable(POSITIVE, math.inf), 1),
        "price_nodes": Ascending(Number(above=0.0, at_most=1.0)),
        "rates": ListOf(ListOf(FRACTION), 1),
        "include_spot": Flag(),
    },
    build=_depeg,
    check=_check_depeg,
)

_MINIMUM_CHARGE: Final = Record(
    {
        "futures_rate": _by_class(FRACTION),
        "option": Record(
            {"slippage": FRACTION, "taker_fee": FRACTION, "fee_cap": FRACTION}, build=OptionCharge
        ),
        "tiers": _by_class(Marginal("multiplier", Number(at_least=1.0))),
    },
    _OWN_CLASSES,
)

_COMMON_FIELDS: Final[dict[str, Spec]] = {
    **HEADER,
    "asset_classes": _CLASS_LISTS,
    "mr1": Record(
        {"price_moves": _by_class(Ascending(OPEN_FRACTION)), "vol_shift": _VOL_SHIFT}, _OWN_CLASSES
    ),
    "mr2": Record({"horizon_hours": POSITIVE}),
    "mr3": Record({"factor": FRACTION}),
    "mr5": _RATE_CURVES,
    "mr6": Record({"price_move": _by_class(OPEN_FRACTION), "loss_factor": FRACTION}, _OWN_CLASSES),
    "mr7": _MINIMUM_CHARGE,
    "mr8": BORROW,
    "imr_factor": Number(at_least=1.0),
    "liquidation_fee_rate": FRACTION,
    "discount": DISCOUNT,
    "thresholds": Record({"warning_ratio": POSITIVE, "liquidation_ratio": POSITIVE}),
    "eligibility": ELIGIBILITY,
    "liquidation": LIQUIDATION_TO_RATIO,
}


def _classes_of(factor: Mapping[str, Any], fields: Mapping[str, Any]) -> AssetClasses:
    """A factor's own class lists, else those of the document."""
    classes: AssetClasses = factor.get("asset_classes") or fields["asset_classes"]
    return classes


def _check_document(fields: Mapping[str, Any], path: str, faults: Faults) -> None:
    """MR6 covers MR1's largest move for every coin; class lists are disjoint; the warning comes first."""
    mr1, mr6 = fields["mr1"], fields["mr6"]
    near, far = _classes_of(mr1, fields), _classes_of(mr6, fields)
    for coin in (*near.tier1, *near.tier2, *far.tier1, *far.tier2, ""):
        extreme = mr6["price_move"][far.of(coin)]
        if extreme < max(mr1["price_moves"][near.of(coin)]):
            faults.add(f"{path}.mr6.price_move.{far.of(coin)}", "must not be below MR1's largest move")
            break
    if set(fields["asset_classes"].tier1) & set(fields["asset_classes"].tier2):
        faults.add(f"{path}.asset_classes.tier2", "must not repeat a coin of tier1")
    if fields["thresholds"]["warning_ratio"] < fields["thresholds"]["liquidation_ratio"]:
        faults.add(f"{path}.thresholds.warning_ratio", "must not be below liquidation_ratio")


def _common(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor arguments that both methodologies share."""
    mr1, mr6, mr7 = fields["mr1"], fields["mr6"], fields["mr7"]

    def by_class(factor: Mapping[str, Any], name: str) -> ByClass:
        return ByClass(_classes_of(factor, fields), factor[name])

    return {
        "header": Header(*(fields[name] for name in ("methodology", "version", "effective_from", "source"))),
        "price_moves": by_class(mr1, "price_moves"),
        "vol_shift": mr1["vol_shift"],
        "decay_hours": fields["mr2"]["horizon_hours"],
        "twist_factor": fields["mr3"]["factor"],
        "rate_curves": fields["mr5"],
        "extreme_move": by_class(mr6, "price_move"),
        "extreme_loss_factor": mr6["loss_factor"],
        "futures_rate": by_class(mr7, "futures_rate"),
        "option_charge": mr7["option"],
        "minimum_charge_tiers": by_class(mr7, "tiers"),
        "borrow": fields["mr8"]["tiers"],
        **{name: fields[name] for name in ("imr_factor", "liquidation_fee_rate", "discount")},
        "warning_ratio": fields["thresholds"]["warning_ratio"],
        "liquidation_ratio": fields["thresholds"]["liquidation_ratio"],
        **{name: fields[name] for name in ("eligibility", "liquidation")},
    }


def _okx_2025(**fields: Any) -> OkxParameters:
    mr4 = fields["mr4"]
    classes = _classes_of(mr4, fields)
    return OkxParameters(
        **_common(fields),
        mr4_flat=ByClass(classes, mr4["flat"]),
        mr4_annualized=ByClass(classes, mr4["annualized_move"]),
        depeg=fields["mr9"],
    )


def _okx_classic(**fields: Any) -> OkxParameters:
    mr4 = fields["mr4"]
    classes = _classes_of(mr4, fields)
    return OkxParameters(
        **_common(fields),
        forward_move=ByClass(classes, mr4["forward_move"]),
        basis_move=ByClass(classes, mr4["basis_move"]),
        mr4_include_spot=mr4["include_spot"],
    )


OKX_2025: Final = Record(
    {
        **_COMMON_FIELDS,
        "mr4": Record(
            {"flat": _by_class(FRACTION), "annualized_move": _by_class(NON_NEGATIVE)}, _OWN_CLASSES
        ),
        "mr9": _DEPEG,
    },
    SOURCE,
    _okx_2025,
    _check_document,
)
OKX_CLASSIC: Final = Record(
    {
        **_COMMON_FIELDS,
        "mr4": Record(
            {"forward_move": _by_class(FRACTION), "basis_move": _by_class(FRACTION), "include_spot": Flag()},
            _OWN_CLASSES,
        ),
    },
    SOURCE,
    _okx_classic,
    _check_document,
)
