"""What explanations read of the evaluations of a one-account book: the players, and what was chosen among."""

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.explain.explanation import Decision, decide
from margin.engine.explain.players import Players
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, Products, binding_name
from margin.engine.order_sets import OrderSet, UnitRows
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]


def players_of(
    book: Book,
    market: Market,
    units: Partition,
    number: int,
    products: Products,
    evaluated: Evaluations,
    at: int,
) -> Players:
    """The players of evaluation `at` of unit `number`."""
    order_set = OrderSet(int(products.rows.row_set[evaluated.row[at]]))
    in_use = float(evaluated.spot_in_use[at])
    return Players.of(book, market.instruments.ids, units, number, products.arrays, order_set, in_use)


def binding_label(rows: UnitRows, evaluated: Evaluations, at: int) -> str:
    """The report's name of evaluation `at`."""
    return binding_name(int(rows.row_set[evaluated.row[at]]), bool(evaluated.with_spot_orders[at]))


def order_decisions(products: Products, evaluated: Evaluations, mmr: Floats, at: int) -> list[Decision]:
    """Which order set made evaluation `at` the greatest of its kind, and whether spot orders count."""
    with_orders = evaluated.with_spot_orders
    alike = np.flatnonzero(with_orders == with_orders[at])
    names = [binding_name(int(products.rows.row_set[evaluated.row[i]]), False) for i in alike]
    sets = {name: float(mmr[i]) for name, i in zip(names, alike, strict=True)}
    peaks = {
        label: float(mmr[with_orders == flag].max())
        for label, flag in (("without", False), ("with", True))
        if (with_orders == flag).any()
    }
    return [*decide("order set", sets), *decide("spot orders", peaks, least=True)]
