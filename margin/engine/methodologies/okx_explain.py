"""Explanation of one OKX risk unit: the binding evaluation divided, and what it was chosen among."""

from collections.abc import Callable, Mapping
from typing import Final

from margin.engine.book import Book
from margin.engine.explain.explanation import Component, Decision, UnitExplanation, decide
from margin.engine.explain.words import move_label, sentences
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, Scratch, Variants
from margin.engine.methodologies.explained_evaluations import (
    binding_label,
    binding_of_only_pair,
    order_decisions,
    players_of,
)
from margin.engine.methodologies.okx_factors import Stress, requirement
from margin.engine.methodologies.okx_shares import Binding, shared_components
from margin.engine.methodologies.okx_unit import OkxRules
from margin.engine.parameters.okx import OkxParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

#: The components of a methodology's own, divided.
OwnComponents = Callable[[Binding], dict[str, Component]]

_MARKET: Final = ("mr1", "mr2", "mr6")
_CHARGES: Final = ("mr3", "mr4", "mr5", "mr9")


def explain_units(
    book: Book,
    market: Market,
    parameters: OkxParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
    rules: OkxRules,
    own: OwnComponents,
) -> tuple[UnitExplanation, ...]:
    """Every unit of a one-account book, by a methodology's own rules, as `okx_margin`."""
    explained = []
    for number in units.held_by(book):
        rows, spot = rules.holdings(book, units, number, arrays[number])
        stress = Stress.of(arrays[number], rows, rules.per_expiry(parameters, arrays[number]), Scratch())
        evaluated = Evaluations.of(stress, Variants.of(rows, spot))
        values = rules.factors(market, parameters, stress, evaluated)
        mmr = requirement(values)
        at = binding_of_only_pair(evaluated.variants, mmr)
        players = players_of(book, market, units, number, stress, evaluated, at)
        figures = {name: float(column[at]) for name, column in values.items()}
        row, in_use = int(evaluated.variants.row[at]), float(evaluated.spot_in_use[at])
        binding = Binding(market, parameters, stress, row, in_use, figures, players)
        choices = order_decisions(stress, evaluated, mmr, at)
        explained.append(
            _unit(binding, own(binding), binding_label(rows, evaluated, at), float(mmr[at]), choices)
        )
    return tuple(explained)


def _unit(
    binding: Binding, own: dict[str, Component], name: str, mmr: float, choices: list[Decision]
) -> UnitExplanation:
    found = shared_components(binding) | own
    components = {factor: found[factor] for factor in sorted(found)}
    inner, outer = _inner_decisions(binding), [*_branch_decision(binding), *choices]
    counted = counted_components(binding)
    telling = outer if counted == ("mr7",) else [*inner, *outer]
    unit, table = binding.stress.arrays.unit.name, binding.market.instruments
    return UnitExplanation(
        unit=unit,
        binding=name,
        mmr=mmr,
        players=binding.players.listed,
        components=components,
        counted=counted,
        decisions=[*inner, *outer],
        words=sentences(unit, components, counted, telling, binding.players.listed, table),
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


def _branch_decision(binding: Binding) -> list[Decision]:
    """Whether the sum or the minimum charge decides."""
    return decide("sum, mr7", {"sum": _sum(binding), "mr7": binding.values["mr7"]})
