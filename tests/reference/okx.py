"""What the two OKX methodologies share: risk factors MR1 to MR7, order sets and the account.

A methodology is a ``Rules`` value: how an instrument is revalued, what MR4 charges, and whether MR9 exists.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tests.reference import account
from tests.reference.book import Book, Instrument, Json, Leg, Report, Row, add_exactly
from tests.reference.orders import (
    WITH_SPOT,
    OrderSet,
    gross_of,
    highest,
    nearly,
    net_spot_order,
    order_sets,
    with_ties,
)
from tests.reference.tiers import asset_class, interpolate, marginal, symmetric
from tests.reference.valuation import Valuation, greeks, unit_upl

COLUMNS = ("down", "same", "up")
WANTED = ("positive_delta", "negative_delta", "total")

Revaluation = Callable[[Valuation, Instrument, float, float], float]
"""(valuation, instrument, price move, volatility) -> USD P&L for one unit of ``n``."""


@dataclass(frozen=True)
class Unit:
    """A risk unit: its rows, its rules, and whether it may use the coin's spot."""

    name: str
    coin: str
    takes_spot: bool
    positions: tuple[Row, ...]
    orders: tuple[Row, ...]
    valuation: Valuation
    parameters: Json
    rules: "Rules"
    _pnl: dict[tuple[str, float, str], float] = field(default_factory=dict)

    def class_of(self, factor: str) -> str:
        return asset_class(self.parameters, factor, self.coin)

    def pnl(self, leg: Leg, move: float, column: str) -> float:
        """USD P&L of a leg in one scenario; an instrument is revalued there once."""
        key = (leg.instrument.id, move, column)
        if key not in self._pnl:
            vol = shifted_vol(self, leg.instrument, column)
            self._pnl[key] = self.rules.revalue(self.valuation, leg.instrument, move, vol)
        return leg.n * self._pnl[key]


@dataclass(frozen=True)
class Rules:
    """How an instrument is revalued, what MR4 charges, and MR9 where there is one.

    The charges take the unit, the legs of an order set and the spot in use.
    """

    revalue: Revaluation
    basis: Callable[[Unit, Sequence[Leg], float], float]
    depeg: Callable[[Unit, Sequence[Leg], float], float] | None


def okx_report(
    book: Book, parameters: Json, unit_of: Callable[[Instrument], tuple[str, bool]], rules: Rules
) -> Report:
    """Account, currencies and units; ``unit_of`` gives an instrument's unit and whether that takes spot."""
    valuation = Valuation(book)
    named = {unit_of(row.instrument): row.instrument for row in (*book.positions, *book.derivative_orders)}
    units = []
    for (name, takes_spot), instrument in sorted(named.items(), key=lambda item: item[0]):
        unit = Unit(
            name=name,
            coin=instrument.underlying,
            takes_spot=takes_spot,
            positions=tuple(row for row in book.positions if unit_of(row.instrument)[0] == name),
            orders=tuple(row for row in book.derivative_orders if unit_of(row.instrument)[0] == name),
            valuation=valuation,
            parameters=parameters,
            rules=rules,
        )
        units.append(unit_report(unit))
    currencies = account.currency_entries(valuation, parameters["discount"], parameters["mr8"]["tiers"])
    return {
        "account": account.ratio_account(valuation, parameters, units, currencies),
        "currencies": currencies,
        "risk_units": units,
    }


def unit_report(unit: Unit) -> Report:
    """The binding set: the worst of the order sets, or the worst of those with spot orders when lower."""
    book = unit.valuation.book
    cash = book.cash(unit.coin)
    ordered = net_spot_order(book.spot_orders, unit.coin) if unit.takes_spot else []
    sets = order_sets(unit.valuation, unit.positions, unit.orders, WANTED)
    without = [evaluate(unit, chosen, cash, "") for chosen in sets]
    amount = add_exactly([cash, *ordered])
    if amount == cash:
        return with_ties(highest(without), spread_aliases(without))
    with_spot = [evaluate(unit, chosen, amount, WITH_SPOT) for chosen in sets]
    low, high = sorted((without, with_spot), key=lambda group: float(highest(group)["mmr"]))
    binding = highest(low)
    contenders = list(low)
    if nearly(highest(high)["mmr"], binding["mmr"], binding["gross"]["usd"]):
        contenders += high
    return with_ties(binding, spread_aliases(contenders))


def spread_aliases(units: Sequence[Report]) -> list[Report]:
    """Each report again under every name that means the same quantities."""
    return [*units, *(unit | {"binding": alias} for unit in units for alias in unit["aliases"])]


def evaluate(unit: Unit, chosen: OrderSet, spot: Decimal, suffix: str) -> Report:
    """The unit's report for one order set and one amount of spot."""
    legs, valuation, parameters = chosen.legs, unit.valuation, unit.parameters
    exposure = greeks(valuation, legs, parameters["mr2"]["horizon_hours"])
    used = spot_in_use(unit, float(spot), exposure["delta"])
    moves = symmetric(parameters["mr1"]["price_moves"][unit.class_of("mr1")])
    grid = [[scenario(unit, legs, used, move, column) for column in COLUMNS] for move in moves]
    pnl = [[cell.total for cell in row] for row in grid]
    components = risk_factors(unit, legs, used, grid, exposure["theta"])
    mmr = requirement(components)
    return {
        "unit": unit.name,
        "binding": chosen.name + suffix,
        "aliases": tuple(alias + suffix for alias in chosen.aliases),
        "mmr": mmr,
        "imr": parameters["imr_factor"] * mmr,
        "spot_in_use": used,
        **exposure,
        "upl": unit_upl(valuation, unit.positions),
        "components": components,
        "scenarios": {"price_moves": moves, "vol_shifts": list(COLUMNS), "pnl": pnl},
        "worst": worst_cell(moves, pnl),
        "gross": gross_of(valuation, legs, largest_pnl(unit, legs)),
    }


def spot_in_use(unit: Unit, amount: float, delta: float) -> float:
    """``H``: the spot that offsets derivatives of the opposite sign, within the holder's limits."""
    if not unit.takes_spot or amount * delta >= 0.0:
        return 0.0
    limit = unit.valuation.book.limit(unit.coin)
    size = min(abs(amount) * limit.ratio, limit.max_amount, abs(delta))
    return math.copysign(size, amount)


def requirement(components: Json) -> float:
    """MMR of a unit from its risk factors."""
    c = components
    stressed = max(c["mr1"], c["mr2"], c["mr6"]) + c["mr3"] + c["mr4"] + c["mr5"] + c.get("mr9", 0.0)
    return float(max(stressed, c["mr7"]))


def risk_factors(
    unit: Unit, legs: Sequence[Leg], used: float, grid: Sequence[Sequence["Cell"]], decay: float
) -> Report:
    """Every component of the unit's requirement; ``decay`` is what the passing of time brings in USD."""
    mr1 = max(0.0, -min(cell.total for row in grid for cell in row))
    components = {
        "mr1": mr1,
        "mr2": max(0.0, -decay),
        "mr3": unit.parameters["mr3"]["factor"] * max(0.0, term_structure_loss(grid) - mr1),
        "mr4": unit.rules.basis(unit, legs, used),
        "mr5": interest_rate(unit, legs),
        "mr6": extreme_move(unit, legs, used),
        "mr7": minimum_charge(unit, legs),
    }
    if unit.rules.depeg is not None:
        components["mr9"] = unit.rules.depeg(unit, legs, used)
    return components


@dataclass(frozen=True)
class Cell:
    """One scenario: P&L of what has no volatility (spot in use included), and of the options by expiry."""

    plain: float
    by_expiry: dict[datetime, float]

    @property
    def total(self) -> float:
        return self.plain + math.fsum(self.by_expiry.values())


def scenario(unit: Unit, legs: Sequence[Leg], used: float, move: float, column: str) -> Cell:
    """P&L of one price move and one volatility column."""
    plain = [used * unit.valuation.spot(unit.coin) * move]
    by_expiry: dict[datetime, float] = {}
    for leg in legs:
        expiry, pnl = leg.instrument.expiry, unit.pnl(leg, move, column)
        if leg.instrument.is_option and expiry is not None:
            by_expiry[expiry] = by_expiry.get(expiry, 0.0) + pnl
        else:
            plain.append(pnl)
    return Cell(math.fsum(plain), by_expiry)


def shifted_vol(unit: Unit, instrument: Instrument, column: str) -> float:
    """Volatility of an option in one column; the mark's own in ``same``."""
    if not instrument.is_option or column == "same":
        return instrument.mark_iv
    rule = unit.parameters["mr1"]["vol_shift"]
    nodes = rule["nodes"]
    days = [node["days"] for node in nodes]
    shift = interpolate(unit.valuation.days(instrument), days, [node["shift"] for node in nodes])
    signed = shift if column == "up" else -shift
    shocked = (
        instrument.mark_iv * (1.0 + signed) if rule["unit"] == "relative" else instrument.mark_iv + signed
    )
    return max(float(rule["min_vol"]), shocked)


def worst_cell(moves: Sequence[float], pnl: Sequence[Sequence[float]]) -> Report:
    """The first lowest cell, price ascending and then column by column."""
    cells = [(i, j) for i in range(len(moves)) for j in range(len(COLUMNS))]
    i, j = min(cells, key=lambda cell: pnl[cell[0]][cell[1]])
    return {"price_move": moves[i], "vol_shift": COLUMNS[j], "pnl": pnl[i][j]}


def term_structure_loss(grid: Sequence[Sequence[Cell]]) -> float:
    """Largest loss when every expiry takes the volatility column that is worst for it."""
    losses = []
    for row in grid:
        expiries = row[0].by_expiry
        twisted = math.fsum(min(cell.by_expiry[expiry] for cell in row) for expiry in expiries)
        losses.append(-(row[0].plain + twisted))
    return max(losses)


def interest_rate(unit: Unit, legs: Sequence[Leg]) -> float:
    """MR5: the worst rate curve on the discounted value of the options."""
    rule, valuation = unit.parameters["mr5"], unit.valuation
    outcomes = []
    for curve in rule["curves"]:
        gains = []
        for leg in legs:
            if leg.instrument.is_option:
                shift = interpolate(valuation.days(leg.instrument), rule["tenor_days"], curve)
                growth = math.expm1(-shift * valuation.years(leg.instrument))
                gains.append(
                    leg.n * valuation.model_value(leg.instrument) * valuation.fx(leg.instrument) * growth
                )
        outcomes.append(math.fsum(gains))
    return max(0.0, -min(outcomes))


def extreme_moves(unit: Unit) -> tuple[float, float]:
    move = float(unit.parameters["mr6"]["price_move"][unit.class_of("mr6")])
    return -move, move


def extreme_move(unit: Unit, legs: Sequence[Leg], used: float) -> float:
    """MR6: part of the loss in the worse of two far price moves."""
    cells = [scenario(unit, legs, used, move, "same").total for move in extreme_moves(unit)]
    return float(unit.parameters["mr6"]["loss_factor"]) * max(0.0, -min(cells))


def largest_pnl(unit: Unit, legs: Sequence[Leg]) -> list[float]:
    """Per leg, the largest |P&L| at the extreme moves, in USD."""
    return [max(abs(unit.pnl(leg, move, "same")) for move in extreme_moves(unit)) for leg in legs]


def minimum_charge(unit: Unit, legs: Sequence[Leg]) -> float:
    """MR7: gross over instruments, through marginal tiers."""
    rule, kind = unit.parameters["mr7"], unit.class_of("mr7")
    raw = math.fsum(
        option_closing_cost(unit.valuation, leg, rule["option"])
        if leg.instrument.is_option
        else abs(unit.valuation.cash_delta(leg)) * rule["futures_rate"][kind]
        for leg in legs
    )
    return marginal(raw, rule["tiers"][kind], "multiplier")


def option_closing_cost(valuation: Valuation, leg: Leg, rule: Json) -> float:
    """USD cost of closing an option; a long one never costs more than it is worth."""
    option, index = leg.instrument, valuation.pair_index(leg.instrument)
    value = option.mark * valuation.spot(option.underlying) if option.is_coin_settled_option else option.mark
    per_coin = rule["slippage"] * index + min(rule["taker_fee"] * index, rule["fee_cap"] * value)
    size = abs(leg.n) * valuation.fx(option)
    return float(per_coin * size if leg.n < 0.0 else min(per_coin * size, value * size))


def bucket_name(leg: Leg) -> datetime | None:
    """MR4 bucket of a derivative: its expiry, or None for all perpetuals."""
    return leg.instrument.expiry
