"""Explanation of `bybit-uta`: maximum loss and contingencies divided among positions, orders and spot."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from margin.engine.book import Book
from margin.engine.explain.explanation import Component, Decision, UnitExplanation, decide
from margin.engine.explain.words import move_label, scenario_words, sentences
from margin.engine.market import Market
from margin.engine.methodologies.bybit_contingencies import Stress, per_expiry
from margin.engine.methodologies.bybit_shares import Binding, Floats, contingency_components
from margin.engine.methodologies.bybit_uta import components as components_of
from margin.engine.methodologies.bybit_uta import holdings, spot_gain
from margin.engine.methodologies.evaluations import Evaluations, Scratch, Variants
from margin.engine.methodologies.explained_evaluations import (
    binding_label,
    binding_of_only_pair,
    order_decisions,
    players_of,
)
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.scenarios import VOL_SHIFTS
from margin.engine.units import Partition

_LOSS: Final = "max_loss"
_SUM: Final = "contingency"


def explain(
    book: Book,
    market: Market,
    parameters: BybitParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
) -> tuple[UnitExplanation, ...]:
    """Every unit of a one-account book; arguments as `bybit_uta.margin`."""
    return tuple(
        _unit(book, market, parameters, units, number, arrays[number]) for number in units.held_by(book)
    )


def _unit(
    book: Book, market: Market, parameters: BybitParameters, units: Partition, number: int, arrays: RiskArrays
) -> UnitExplanation:
    rows, spot = holdings(parameters, book, units, number, arrays)
    stress = Stress.of(arrays, rows, per_expiry(arrays), Scratch())
    evaluated = Evaluations.of(stress, Variants.of(rows, spot))
    gain = spot_gain(stress, evaluated, market.index[f"{arrays.unit.coin}-USD"])
    values = components_of(market, parameters, stress, evaluated, gain)
    mmr = values[_LOSS] + values[_SUM]
    at = binding_of_only_pair(evaluated.variants, mmr)
    players = players_of(book, market, units, number, stress, evaluated, at)
    figures = {name: float(column[at]) for name, column in values.items()}
    row, in_use = int(evaluated.variants.row[at]), float(evaluated.spot_in_use[at])
    binding = Binding(market, parameters, stress, row, in_use, figures, players)
    cells = (stress.grid[..., row] + gain[:, at]).T
    parts = contingency_components(binding)
    total = Component(figures[_SUM], _added_up(parts), "all contingencies together")
    components = {_LOSS: _maximum_loss(binding, cells), **parts, _SUM: total}
    counted = (_LOSS, *parts)
    decisions = [*_move_decision(stress, cells), *order_decisions(stress, evaluated, mmr, at)]
    unit = arrays.unit.name
    return UnitExplanation(
        unit=unit,
        binding=binding_label(stress.rows, evaluated, at),
        mmr=float(mmr[at]),
        players=players.listed,
        components=components,
        counted=counted,
        decisions=decisions,
        words=sentences(unit, components, counted, decisions, players.listed, market.instruments),
    )


def _added_up(parts: Mapping[str, Component]) -> Floats:
    return np.asarray(np.sum([part.shares for part in parts.values()], axis=0))


def _move_decision(stress: Stress, cells: Floats) -> list[Decision]:
    """Which price move makes the maximum loss."""
    moves, worst = stress.arrays.price_moves, cells.min(axis=1)
    losses = {move_label(float(move)): -float(loss) for move, loss in zip(moves, worst, strict=True)}
    return decide("max_loss price move", losses)


def _maximum_loss(binding: Binding, cells: Floats) -> Component:
    """The P&L of each player in the worst of the (n, 3) cells; spot counts where it gains."""
    i, j = divmod(int(np.argmin(cells)), len(VOL_SHIFTS))
    if cells[i, j] >= 0.0:
        return binding.none(_LOSS, "the worst price and volatility")
    move = float(binding.stress.arrays.price_moves[i])
    slope = binding.bucket_column(j * binding.stress.moves + i)
    gain = max(binding.spot_in_use * binding.spot_price * move, 0.0)
    words = scenario_words(move, VOL_SHIFTS[j], vol_matters=bool(np.ptp(cells[i]) > 0.0))
    cell = {"price_move": move, "vol_shift": VOL_SHIFTS[j]}
    return Component(binding.values[_LOSS], -binding.players.shares(slope, gain), words, cell)
