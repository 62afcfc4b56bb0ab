"""Explanation of one OKX risk unit: the binding evaluation divided, and what it was chosen among."""

from collections.abc import Callable
from typing import Final

import numpy as np

from margin.engine.book import Book
from margin.engine.explain.explanation import Component, Decision, UnitExplanation, decide
from margin.engine.explain.players import Players
from margin.engine.explain.words import move_label, sentences
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, binding_evaluations, binding_name
from margin.engine.methodologies.okx_factors import Stress, requirement
from margin.engine.methodologies.okx_shares import Binding, Floats, shared_components
from margin.engine.methodologies.okx_unit import Factors
from margin.engine.methodologies.spot_hedge import SpotHedge
from margin.engine.order_sets import OrderSet, UnitRows
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

#: The components of a methodology's own, divided.
OwnComponents = Callable[[Binding], dict[str, Component]]

_MARKET: Final = ("mr1", "mr2", "mr6")
_CHARGES: Final = ("mr3", "mr4", "mr5", "mr9")


def explain_unit(
    book: Book,
    market: Market,
    parameters: OkxParameters,
    units: Partition,
    number: int,
    arrays: RiskArrays,
    held: tuple[UnitRows, SpotHedge],
    factors: Factors,
    own: OwnComponents,
) -> UnitExplanation:
    """The explanation of one unit of a one-account book; `held` and `factors` as its margin takes them."""
    rows, spot = held
    stress = Stress.of(arrays, rows)
    chosen = Evaluations.of(stress, spot)
    values = factors(stress, chosen)
    mmr = requirement(values)
    at = int(binding_evaluations(chosen, mmr, 1)[0])
    row, in_use = int(chosen.row[at]), float(chosen.spot_in_use[at])
    order_set = OrderSet(int(rows.row_set[row]))
    players = Players.of(book, market.instruments.ids, units, number, arrays, order_set, in_use)
    figures = {name: float(column[at]) for name, column in values.items()}
    binding = Binding(market, parameters, stress, row, in_use, figures, players)
    found = shared_components(binding) | own(binding)
    components = {name: found[name] for name in sorted(found)}
    inner, outer = _inner_decisions(binding), _outer_decisions(binding, stress, chosen, mmr, at)
    counted = counted_components(binding)
    telling = outer if counted == ("mr7",) else [*inner, *outer]
    return UnitExplanation(
        unit=arrays.unit.name,
        binding=binding_name(order_set, bool(chosen.with_spot_orders[at])),
        mmr=float(mmr[at]),
        players=players.listed,
        components=components,
        counted=counted,
        decisions=[*inner, *outer],
        words=sentences(arrays.unit.name, components, counted, telling, players.listed, market.instruments),
    )


def _market_factor(binding: Binding) -> str:
    return max(_MARKET, key=binding.values.__getitem__)


def _charges(binding: Binding) -> list[str]:
    return [name for name in _CHARGES if name in binding.values]


def _sum(binding: Binding) -> float:
    return sum(binding.values[name] for name in (_market_factor(binding), *_charges(binding)))


def counted_components(binding: Binding) -> tuple[str, ...]:
    """The components that add up to the unit's requirement: the sum, or the minimum charge above it."""
    if binding.values["mr7"] > _sum(binding):
        return ("mr7",)
    return (_market_factor(binding), *_charges(binding))


def _inner_decisions(binding: Binding) -> list[Decision]:
    """Which price move makes MR1, and which of MR1, MR2 and MR6 leads."""
    moves, worst = binding.stress.arrays.price_moves, binding.grid().min(axis=1)
    losses = {move_label(float(move)): -float(pnl) for move, pnl in zip(moves, worst, strict=True)}
    factors = {name: binding.values[name] for name in _MARKET}
    return [*decide("mr1 price move", losses), *decide("mr1, mr2, mr6", factors)]


def _outer_decisions(
    binding: Binding, stress: Stress, chosen: Evaluations, mmr: Floats, at: int
) -> list[Decision]:
    """Sum or minimum charge, which order set, and whether spot orders count."""
    branches = {"sum": _sum(binding), "mr7": binding.values["mr7"]}
    names = [binding_name(int(stress.rows.row_set[row]), False) for row in chosen.row]
    with_orders = chosen.with_spot_orders
    alike = np.flatnonzero(with_orders == with_orders[at])
    sets = {names[i]: float(mmr[i]) for i in alike}
    peaks = {
        label: float(mmr[with_orders == flag].max())
        for label, flag in (("without", False), ("with", True))
        if (with_orders == flag).any()
    }
    return [
        *decide("sum, mr7", branches),
        *decide("order set", sets),
        *decide("spot orders", peaks, least=True),
    ]
