"""What explanations read of the evaluations of a one-account book: the players, and what was chosen among."""

import numpy as np
import numpy.typing as npt

from margin.engine.book import Book
from margin.engine.explain.explanation import Decision, decide
from margin.engine.explain.players import Players
from margin.engine.market import Market
from margin.engine.methodologies.evaluations import Evaluations, Products, Variants, binding_evaluations
from margin.engine.order_sets import BINDING_NAMES, OrderSet, UnitRows, binding_code
from margin.engine.units import Partition

Floats = npt.NDArray[np.float64]


def binding_of_only_pair(variants: Variants, mmr: Floats) -> int:
    """The evaluation that decides the one pair of a one-account book."""
    return int(np.arange(len(mmr))[binding_evaluations(variants, mmr)][0])


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
    order_set = OrderSet(int(products.rows.row_set[evaluated.variants.row[at]]))
    in_use = float(evaluated.spot_in_use[at])
    return Players.of(book, market.instruments.ids, units, number, products.arrays, order_set, in_use)


def binding_label(rows: UnitRows, evaluated: Evaluations, at: int) -> str:
    """The report's name of evaluation `at`."""
    variants = evaluated.variants
    codes = binding_code(rows.row_set[variants.row], variants.with_spot_orders)
    return BINDING_NAMES[int(codes[at])]


def order_decisions(products: Products, evaluated: Evaluations, mmr: Floats, at: int) -> list[Decision]:
    """Which order set made evaluation `at` the greatest of its kind, and whether spot orders count."""
    with_orders = evaluated.variants.with_spot_orders
    alike = np.flatnonzero(with_orders == with_orders[at])
    set_of = products.rows.row_set[evaluated.variants.row[alike]]
    names = [BINDING_NAMES[code] for code in binding_code(set_of, np.zeros(len(alike), dtype=np.bool_))]
    sets = {name: float(mmr[i]) for name, i in zip(names, alike, strict=True)}
    peaks = {
        label: float(mmr[with_orders == flag].max())
        for label, flag in (("without", False), ("with", True))
        if (with_orders == flag).any()
    }
    return [*decide("order set", sets), *decide("spot orders", peaks, least=True)]
