"""Explanation of `okx-classic`: MR4 divided, the rest as in `okx_shares`."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.explain.explanation import Component, UnitExplanation
from margin.engine.market import Market
from margin.engine.methodologies.okx_arrays import Total
from margin.engine.methodologies.okx_classic import RULES, exposure_columns
from margin.engine.methodologies.okx_explain import explain_units
from margin.engine.methodologies.okx_shares import Binding
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]


def explain(
    book: Book, market: Market, parameters: OkxParameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> tuple[UnitExplanation, ...]:
    """Every unit of a one-account book; arguments as `okx_classic.margin`."""
    return explain_units(book, market, parameters, units, arrays, RULES, _own)


def _own(binding: Binding) -> dict[str, Component]:
    return {"mr4": _basis(binding)}


@dataclass(frozen=True, eq=False)
class _Buckets:
    """The expiry buckets of the binding row, (B,) each; empty ones hold zeros.

    Attributes
    ----------
    delta : net coins.
    weight, weighted : gross coins, and gross coins times basis.
    basis : |mean basis| per coin, 0 for perpetuals.
    """

    delta: Floats
    weight: Floats
    weighted: Floats
    basis: Floats

    @classmethod
    def of(cls, binding: Binding) -> "_Buckets":
        stress, runs = binding.stress, binding.run_slice
        unit = stress.arrays.unit
        held = np.zeros((3, len(unit.bucket_years)))
        held[:, stress.rows.run_bucket[runs]] = exposure_columns(stress.run_columns[runs], stress.moves)
        delta, weight, weighted = held
        dated = unit.dated & (weight > 0.0)
        return cls(
            delta, weight, weighted, np.where(dated, np.abs(weighted) / np.where(dated, weight, 1.0), 0.0)
        )


def _basis(binding: Binding) -> Component:
    """MR4: the gradient of what long and short buckets hedge of each other, and of its mean basis.

    With `T` the coins of a side, `B` the same times basis and `h` the lesser `T`, the charge is
    `2 h * forward + basis_move * (h B/T of either side)`: of degree one in what is held. Of two equal
    sides, `h` is half of each.
    """
    words = "basis between expiries, perpetuals and spot"
    if binding.values["mr4"] <= 0.0:
        return binding.none("mr4", words)
    parameters, market, unit = binding.parameters, binding.market, binding.stress.arrays.unit
    assert parameters.forward_move is not None and parameters.basis_move is not None
    assert unit.group is not None
    fx = market.fx_rate(unit.group.name)
    forward = fx * parameters.forward_move.of(unit.coin) * 2.0 * market.pair_index(unit.coin, unit.group)
    basis_move = fx * float(parameters.basis_move.of(unit.coin))
    buckets, spot = _Buckets.of(binding), binding.spot_in_use if parameters.mr4_include_spot else 0.0
    sides = np.stack([np.maximum(buckets.delta, 0.0), np.maximum(-buckets.delta, 0.0)])
    spot_sides = np.array([max(spot, 0.0), max(-spot, 0.0)])
    coins, based = sides.sum(axis=1) + spot_sides, sides @ buckets.basis
    hedged, part = coins.min(), (1.0 + np.sign(coins[1] - coins[0])) / 2.0
    per_hedged = forward + basis_move * (based / coins).sum()
    per_coin = per_hedged * np.array([part, 1.0 - part]) - basis_move * hedged * based / coins**2
    per_based = basis_move * hedged / coins
    slope = _slope(binding, buckets, per_coin, per_based)
    return Component(
        binding.values["mr4"], binding.players.shares(slope, float(spot_sides @ per_coin)), words
    )


def _slope(binding: Binding, buckets: _Buckets, per_coin: Floats, per_based: Floats) -> Floats:
    """(M,) USD for one more contract, out of USD per coin of each side, and per coin times basis."""
    arrays, players = binding.stress.arrays, binding.players
    bucket = arrays.unit.bucket
    side = (buckets.delta < 0.0).astype(np.intp)
    of_delta = np.sign(buckets.delta) * (per_coin[side] + per_based[side] * buckets.basis)
    weight, weighted = (
        players.gross_slope(column) for column in exposure_columns(arrays.buckets, binding.stress.moves)[1:]
    )
    gross = np.where(buckets.weight > 0.0, buckets.weight, 1.0)
    mean = buckets.weighted / gross
    of_basis = (
        np.where(buckets.basis > 0.0, np.sign(mean) / gross, 0.0) * per_based[side] * np.abs(buckets.delta)
    )
    delta = binding.total(Total.DELTA)
    return np.asarray(of_delta[bucket] * delta + of_basis[bucket] * (weighted - mean[bucket] * weight))
