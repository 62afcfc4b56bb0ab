"""Methodology `standard`: position by position, nothing offsets. It reads like its page, spec 30."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from margin.engine.account import ratio_margin, sums_by
from margin.engine.book import Book, Lots, Orders, Positions
from margin.engine.exposures import exposures
from margin.engine.market import Market
from margin.engine.methodologies.spot_hedge import SpotHedge
from margin.engine.methodologies.terms import HOURS_PER_DAY, Sensitivity, Terms
from margin.engine.order_sets import BINDING_NAMES, POSITIONS_ALONE, OrderSet, UnitRows, unit_rows
from margin.engine.parameters.common import for_coin
from margin.engine.parameters.standard import ShortOptionRates, StandardParameters
from margin.engine.prepared import PreparedShard, PreparedUnit, prepared
from margin.engine.results import ShardMargin, UnitFigures
from margin.engine.risk_arrays import RiskArrays, both_sides
from margin.engine.tiers import BandTiers
from margin.engine.units import Partition, RiskUnit, merged_units

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_BINDING: Final = OrderSet.POSITIONS.name.lower()


def partition(market: Market) -> Partition:
    """Risk units, for the report only: one per underlying coin."""
    return merged_units(market)


def unit_arrays(market: Market, unit: RiskUnit, parameters: StandardParameters) -> RiskArrays:
    """Fan-out 1: nothing is stressed; the arrays hold the sensitivities that a report shows."""
    terms, found = Terms.of(market, unit), exposures(market, unit.members)
    return RiskArrays(
        unit=unit,
        price_moves=np.zeros(0),
        buckets=np.zeros((2 * len(unit.members), 0)),
        sums=both_sides(np.stack(terms.sensitivities(found, HOURS_PER_DAY), axis=1)),
        delta_sign=np.sign(found.delta),
    )


@dataclass(frozen=True, eq=False)
class Holdings:
    """Rows that are margined each by itself, (N,).

    Attributes
    ----------
    quantity : signed contracts.
    entry : price paid, in the settlement currency for one coin.
    """

    account: Ints
    instrument: Ints
    quantity: Floats
    entry: Floats

    def where(self, chosen: Bools) -> Self:
        """The rows of a mask (N,)."""
        return type(self)(
            self.account[chosen], self.instrument[chosen], self.quantity[chosen], self.entry[chosen]
        )


# Perpetuals, futures and options, each row by itself


def futures_margin(market: Market, held: Holdings, tiers: BandTiers) -> tuple[Floats, Floats]:
    """MMR and IMR in USD of futures: |cash delta| at the rates of the tier that holds the whole position."""
    table, place = market.instruments, held.instrument
    mark, inverse = table.mark_or_one[place], table.inverse[place]
    size = np.abs(held.quantity) * table.contract_size[place]
    # Divided once, not by way of the delta of one contract: a position may lie on the edge of its tier.
    coins = np.where(inverse, size / mark, size)
    cash = np.where(inverse, size, size * mark * market.group_fx[place])
    mmr, imr = tiers.rates(coins)
    return cash * mmr, cash * imr


def option_margin(market: Market, held: Holdings, rates: ShortOptionRates) -> tuple[Floats, Floats]:
    """MMR and IMR in USD of options; a long one is paid for and requires nothing."""
    table, place = market.instruments, held.instrument
    index, strike = market.pair_spot[place], table.strike[place]
    to_quote = np.where(table.inverse[place], index, 1.0)
    value, entry = table.mark[place] * to_quote, held.entry * to_quote
    out_of_the_money = np.maximum(table.sign[place] * (strike - index), 0.0)
    mmr = np.maximum(rates.mmr_index * index, rates.mmr_mark * value) + value + rates.fee * index
    open_risk = np.maximum(rates.imr_index * index - out_of_the_money, rates.imr_floor * index)
    imr = np.maximum(open_risk + np.maximum(entry, value), mmr)
    short = np.maximum(-held.quantity, 0.0) * table.contract_size[place] * market.group_fx[place]
    return short * mmr, short * imr


def requirement(
    market: Market, parameters: StandardParameters, coin: str, held: Holdings
) -> tuple[Floats, Floats]:
    """MMR and IMR in USD of rows in one coin, (N,) each."""
    futures = futures_margin(market, held, for_coin(parameters.futures_tiers, coin))
    options = option_margin(market, held, parameters.option)
    option = market.instruments.option[held.instrument]
    return np.where(option, options[0], futures[0]), np.where(option, options[1], futures[1])


# What is held, and what the orders open


def _keys(rows: Positions | Lots | Orders, instruments: int) -> npt.NDArray[np.int64]:
    """One number for each (account, instrument) among rows; ascending over positions."""
    return rows.account.astype(np.int64) * instruments + rows.instrument


def positions_held(book: Book, instruments: int) -> Holdings:
    """The positions, entered at the quantity-weighted mean of their lots on the net side."""
    positions, lots = book.positions, book.lots
    size = len(positions.account)
    place = np.searchsorted(_keys(positions, instruments), _keys(lots, instruments))
    same_side = np.sign(lots.quantity) == np.sign(positions.quantity[place])
    weight = np.where(same_side, np.abs(lots.quantity), 0.0)
    total = sums_by(place, weight, size)
    paid = sums_by(place, weight * lots.entry, size)
    entry = np.where(total > 0.0, paid / np.where(total > 0.0, total, 1.0), 0.0)
    return Holdings(positions.account, positions.instrument, positions.quantity, entry)


def orders_opening(book: Book, instruments: int) -> Holdings:
    """The orders with what each opens: in document order they use up the position, the rest is opening."""
    orders = book.orders
    keys, group = np.unique(_keys(orders, instruments), return_inverse=True)
    left = _quantities(book, keys, instruments)
    opened = orders.quantity.copy()
    for turn in _turns(group):
        held, wanted = left[group[turn]], opened[turn]
        reducing = np.sign(held) == -np.sign(wanted)
        used = np.where(reducing, np.minimum(np.abs(held), np.abs(wanted)), 0.0)
        left[group[turn]] = held - np.sign(held) * used
        opened[turn] = wanted - np.sign(wanted) * used
    return Holdings(orders.account, orders.instrument, opened, orders.price)


def _quantities(book: Book, keys: npt.NDArray[np.int64], instruments: int) -> Floats:
    """Position in each (account, instrument) of `keys`, 0 where there is none."""
    held = _keys(book.positions, instruments)
    place = np.searchsorted(held, keys)
    found = np.append(held, -1)[place] == keys
    return np.where(found, np.append(book.positions.quantity, 0.0)[place], 0.0)


def _turns(group: npt.NDArray[np.integer[Any]]) -> list[npt.NDArray[np.intp]]:
    """Row numbers of every group's first row, of every group's second, and so on."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    rank = np.arange(len(group)) - np.searchsorted(ordered, ordered)
    return [order[rank == turn] for turn in range(int(rank.max(initial=-1)) + 1)]


# Unit and account


def _unit(
    unit: PreparedUnit,
    market: Market,
    parameters: StandardParameters,
    arrays: RiskArrays,
    held: Holdings,
    opening: Holdings,
    lot_upl_usd: Floats,
) -> UnitFigures:
    """One unit over the accounts that have a position or order in it; `held` and `opening` are its own."""
    account, pairs = unit.account, len(unit.account)
    totals = unit.rows.entries.dot(arrays.sums)

    def by_pair(of: Holdings, values: Floats) -> Floats:
        return sums_by(unit.pair_of[of.account], values, pairs)

    mmr, imr = requirement(market, parameters, arrays.unit.coin, held)
    option = market.instruments.option[held.instrument]
    components = {
        "futures": by_pair(held, np.where(option, 0.0, mmr)),
        "options": by_pair(held, np.where(option, mmr, 0.0)),
        "orders": by_pair(opening, requirement(market, parameters, arrays.unit.coin, opening)[1]),
    }
    return UnitFigures(
        unit=arrays.unit.name,
        account=account,
        binding_code=np.full(pairs, BINDING_NAMES.index(_BINDING), dtype=np.int8),
        mmr=components["futures"] + components["options"],
        imr=by_pair(held, imr) + components["orders"],
        spot_in_use=np.zeros(pairs),
        **{column.name.lower(): totals[:, column] for column in Sensitivity},
        upl=unit.upl(lot_upl_usd),
        components=components,
        price_moves=None,
        pnl=None,
        finite=False,
    )


def holdings(book: Book, units: Partition, number: int, arrays: RiskArrays) -> tuple[UnitRows, SpotHedge]:
    """The positions of one unit; orders are margined by themselves, and no spot hedges."""
    rows = unit_rows(book, units, number, arrays.delta_sign, POSITIONS_ALONE)
    return rows, SpotHedge.none(len(rows.pair_account))


def prepare(
    book: Book,
    market: Market,
    parameters: StandardParameters,
    units: Partition,
    arrays: Mapping[int, RiskArrays],
) -> PreparedShard:
    """A shard made ready, with the arrays of every unit it holds, by unit number."""
    return prepared(book, market, units, arrays, holdings)


def margin(
    shard: PreparedShard, market: Market, parameters: StandardParameters, arrays: Mapping[int, RiskArrays]
) -> ShardMargin:
    """Fan-out 2: the margin of a prepared shard; arguments and errors as `okx_2025.margin`."""
    size, unit_of = len(market.instruments), shard.partition.unit_of
    held, opening = positions_held(shard.book, size), orders_opening(shard.book, size)
    unrealised = shard.layout.lots.unrealised(market)
    figures = []
    for unit in shard.units:
        ours, open_ours = (rows.where(unit_of[rows.instrument] == unit.number) for rows in (held, opening))
        stressed = arrays[unit.number]
        figures.append(_unit(unit, market, parameters, stressed, ours, open_ours, unrealised.usd))
    return ratio_margin(shard.layout, market, parameters, figures, unrealised.settled)
