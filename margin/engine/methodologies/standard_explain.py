"""Explanation of `standard`: nothing offsets, so every row bears what it is charged."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from margin.engine.account import sums_by
from margin.engine.book import Book
from margin.engine.explain.explanation import Component, UnitExplanation
from margin.engine.explain.players import Players
from margin.engine.explain.words import sentences
from margin.engine.market import Market
from margin.engine.methodologies.standard import Holdings, orders_opening, positions_held, requirement
from margin.engine.methodologies.terms import Sensitivity
from margin.engine.order_sets import OrderSet
from margin.engine.parameters.standard import StandardParameters
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]

_COUNTED: Final = ("futures", "options")


def explain(
    book: Book,
    market: Market,
    parameters: StandardParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
) -> tuple[UnitExplanation, ...]:
    """Every unit of a one-account book; arguments as `standard.margin`."""
    size = len(market.instruments)
    held, opening = positions_held(book, size), orders_opening(book, size)
    explained = []
    for number in units.held_by(book):
        mine = [rows.where(units.unit_of[rows.instrument] == number) for rows in (held, opening)]
        ids = market.instruments.ids
        players = Players.of(book, ids, units, number, arrays[number], OrderSet.TOTAL, spot_in_use=0.0)
        components = _components(market, parameters, units, arrays[number], *mine)
        explained.append(_unit(arrays[number].unit.name, players, components, market))
    return tuple(explained)


def _components(
    market: Market,
    parameters: StandardParameters,
    units: Partition,
    arrays: RiskArrays,
    held: Holdings,
    opening: Holdings,
) -> dict[str, Component]:
    """Maintenance of the positions, then initial margin of the orders; positions come first in the shares."""
    mmr, _ = requirement(market, parameters, arrays.unit.coin, held)
    _, imr = requirement(market, parameters, arrays.unit.coin, opening)
    option = market.instruments.option[held.instrument]
    one_long = arrays.sums[2 * units.local_of[held.instrument], Sensitivity.CASH_DELTA]
    cash = np.abs(held.quantity * one_long)
    rates = {
        market.instruments.ids[held.instrument[i]]: float(mmr[i] / cash[i])
        for i in np.flatnonzero(~option & (cash > 0.0))
    }
    no_orders, no_positions = np.zeros(len(imr)), np.zeros(len(mmr))
    futures, options = np.where(option, 0.0, mmr), np.where(option, mmr, 0.0)
    cell = {"rates": rates} if rates else None
    return {
        "futures": _component(np.append(futures, no_orders), "holding perpetuals and futures", cell),
        "options": _component(np.append(options, no_orders), "having sold options"),
        "orders": _component(np.append(no_positions, imr), "what orders would open"),
    }


def _component(shares: Floats, words: str, cell: Mapping[str, Any] | None = None) -> Component:
    # Added up as the requirement is, one after the other: the same bits.
    value = float(sums_by(np.zeros(len(shares), dtype=np.int32), shares, 1)[0])
    return Component(value, shares, words, cell)


def _unit(
    unit: str, players: Players, components: Mapping[str, Component], market: Market
) -> UnitExplanation:
    """A unit in which nothing was chosen; orders ask for initial margin only."""
    return UnitExplanation(
        unit=unit,
        binding=OrderSet.POSITIONS.name.lower(),
        mmr=sum(components[name].value for name in _COUNTED),
        players=players.listed,
        components=components,
        counted=_COUNTED,
        decisions=[],
        words=sentences(unit, components, _COUNTED, [], players.listed, market.instruments),
    )
