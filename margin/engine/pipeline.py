"""The two fan-outs, for one book as for a million: stress risk units, then margin shards of accounts."""

from collections.abc import Mapping

import numpy as np

from margin.engine.book import Book
from margin.engine.market import Market
from margin.engine.methodologies.registry import methodology
from margin.engine.parameters.library import Parameters
from margin.engine.prepared import PreparedShard
from margin.engine.results import ShardMargin
from margin.engine.risk_arrays import RiskArrays
from margin.engine.units import Partition, RiskUnit


def partition(market: Market, parameters: Parameters) -> Partition:
    """The risk units into which the parameters' methodology cuts a market."""
    return methodology(parameters.header.methodology).partition(market)


def stress_unit(market: Market, unit: RiskUnit, parameters: Parameters) -> RiskArrays:
    """Fan-out 1: the risk arrays of one unit."""
    # What leaves the finite numbers is refused when all is done, not warned about on the way.
    with np.errstate(all="ignore"):
        return methodology(parameters.header.methodology).unit_arrays(market, unit, parameters)


def prepare_shard(
    book: Book, market: Market, parameters: Parameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> PreparedShard:
    """A shard cut into rows once, to be margined as long as it `serves`; arguments as `margin_shard`."""
    with np.errstate(all="ignore"):
        return methodology(parameters.header.methodology).prepare(book, market, parameters, units, arrays)


def margin_prepared(
    shard: PreparedShard, market: Market, parameters: Parameters, arrays: Mapping[int, RiskArrays]
) -> ShardMargin:
    """Fan-out 2 of a shard that was prepared for the parameters' methodology; errors as `margin_shard`."""
    with np.errstate(all="ignore"):
        return methodology(parameters.header.methodology).margin(shard, market, parameters, arrays)


def margin_shard(
    book: Book, market: Market, parameters: Parameters, units: Partition, arrays: Mapping[int, RiskArrays]
) -> ShardMargin:
    """Fan-out 2: the margin of a shard, with the arrays of every unit it holds, by unit number.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    shard = prepare_shard(book, market, parameters, units, arrays)
    return margin_prepared(shard, market, parameters, arrays)


def margin_book(book: Book, market: Market, parameters: Parameters) -> ShardMargin:
    """Both fan-outs at once, over the units that the book holds; NonFiniteError as `margin_shard`."""
    units = partition(market, parameters)
    arrays = {number: stress_unit(market, units.units[number], parameters) for number in units.held_by(book)}
    return margin_shard(book, market, parameters, units, arrays)
