"""Explanation of `okx-2025`: MR4 and MR9 divided, the rest as in `okx_shares`."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.explain.explanation import Component, UnitExplanation
from margin.engine.instruments import Group
from margin.engine.market import Market
from margin.engine.methodologies.okx_2025 import DEPEG_PAIRS, RULES
from margin.engine.methodologies.okx_arrays import Total
from margin.engine.methodologies.okx_explain import explain_units
from margin.engine.methodologies.okx_shares import Binding
from margin.engine.parameters.okx import DepegRates, OkxParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]


def explain(
    book: Book, market: Market, parameters: OkxParameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> tuple[UnitExplanation, ...]:
    """Every unit of a one-account book; arguments as `okx_2025.margin`."""
    return explain_units(book, market, parameters, units, arrays, RULES, _own)


def _own(binding: Binding) -> dict[str, Component]:
    return {"mr4": _basis(binding), "mr9": _depeg(binding)}


def _basis(binding: Binding) -> Component:
    """MR4: a player's cash delta at its bucket's rate, against the sign of the bucket's net."""
    parameters, stress = binding.parameters, binding.stress
    assert parameters.mr4_flat is not None and parameters.mr4_annualized is not None
    unit, runs = stress.arrays.unit, binding.run_slice
    flat: float = parameters.mr4_flat.of(unit.coin)
    rate = flat + parameters.mr4_annualized.of(unit.coin) * unit.bucket_years
    sign = np.zeros(len(unit.bucket_years))
    sign[stress.rows.run_bucket[runs]] = np.sign(stress.run_columns[runs, -1])
    slope = binding.total(Total.CASH_DELTA) * (sign * rate)[unit.bucket]
    shares = binding.players.shares(slope, abs(binding.spot_cash) * flat)
    return Component(binding.values["mr4"], shares, "basis between expiries, perpetuals and spot")


def depeg_gradient(
    cash: Floats, fx: Mapping[Group, float], rates: DepegRates
) -> tuple[Floats, list[dict[str, object]]]:
    """What one more USD of each group's cash delta adds to MR9, and what the pairs offset.

    Every pair charges what it offsets at the average rate of its tiers. What it offsets is the smaller of
    two sides, each linear in the groups' cash; of two equal sides it is half of each. The gradient times
    `cash` (3,) is the charge.
    """
    left, weights = cash.copy(), np.eye(len(Group))
    gradient, cells = np.zeros(len(Group)), []
    for first, second in DEPEG_PAIRS:
        a, b = left[first], left[second]
        if a * b >= 0.0:
            continue
        sizes = np.sign(a) * weights[first], np.sign(b) * weights[second]
        part = (1.0 + np.sign(abs(b) - abs(a))) / 2.0
        size, hedged = part * sizes[0] + (1.0 - part) * sizes[1], min(abs(a), abs(b))
        left[first], left[second] = a - np.sign(a) * hedged, b - np.sign(b) * hedged
        weights[first] = weights[first] - np.sign(a) * size
        weights[second] = weights[second] - np.sign(b) * size
        price = fx[first] / fx[second]
        rate = float(rates.at(min(price, 1.0 / price)).apply(np.array([hedged]))[0]) / hedged
        gradient += rate * size
        cells.append({"pair": f"{first.name}-{second.name}", "hedged": hedged, "average_rate": rate})
    return gradient, cells


def _depeg(binding: Binding) -> Component:
    """MR9: a player's cash delta at the gradient of its settlement group."""
    parameters, market = binding.parameters, binding.market
    assert parameters.depeg is not None
    words = "a stable currency losing its peg"
    if binding.values["mr9"] <= 0.0:
        return binding.none("mr9", words)
    cash = binding.stress.totals[Total.CASH_USDT : Total.CASH_USD + 1, binding.row].copy()
    spot = binding.spot_cash if parameters.depeg.include_spot else 0.0
    cash[Group.USD] += spot
    fx = {group: market.fx_rate(group.name) for group in Group}
    gradient, cells = depeg_gradient(cash, fx, parameters.depeg)
    group = market.instruments.group[binding.stress.arrays.unit.members]
    slope = binding.total(Total.CASH_DELTA) * gradient[group]
    shares = binding.players.shares(slope, spot * gradient[Group.USD])
    return Component(binding.values["mr9"], shares, words, {"pairs": cells})
