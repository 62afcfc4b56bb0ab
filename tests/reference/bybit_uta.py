"""``bybit-uta``: the maximum loss of a unit plus five contingencies."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.reference import account, black76
from tests.reference.book import Book, Instrument, Json, Leg, Report, Row
from tests.reference.bybit_account import account_figures, collateral_ratio, withdrawable
from tests.reference.orders import OrderSet, gross_of, highest, order_sets, with_ties
from tests.reference.tiers import entry, symmetric
from tests.reference.valuation import Valuation, greeks, unit_upl

COLUMNS = ("down", "same", "up")
WANTED = ("positions", "positive_delta", "negative_delta")
THETA_HOURS = 24.0
DAY_SECONDS = 86_400
CONTINGENCIES = ("short_option", "vega_spread", "stablecoin_spread", "delta_spread", "perp_futures")


@dataclass(frozen=True)
class Unit:
    """A risk unit: all derivatives of one coin."""

    coin: str
    positions: tuple[Row, ...]
    orders: tuple[Row, ...]
    valuation: Valuation
    parameters: Json
    _pnl: dict[tuple[str, float, str], float] = field(default_factory=dict)

    @property
    def spot(self) -> float:
        return self.valuation.spot(self.coin)

    def factor(self, name: str) -> float:
        """The coin's coefficient in a table of the parameters."""
        return float(entry(self.parameters[name], self.coin))

    def pnl(self, leg: Leg, move: float, column: str) -> float:
        """USD P&L of a leg in one scenario."""
        key = (leg.instrument.id, move, column)
        if key not in self._pnl:
            self._pnl[key] = revalue(self, leg.instrument, move, column)
        return leg.n * self._pnl[key]


def report(book: Book, parameters: Json) -> Report:
    """Account, currencies (each with what can be withdrawn) and risk units of a book."""
    valuation = Valuation(book)
    rows = (*book.positions, *book.derivative_orders)
    units = [
        unit_report(
            Unit(
                coin=coin,
                positions=tuple(row for row in book.positions if row.instrument.underlying == coin),
                orders=tuple(row for row in book.derivative_orders if row.instrument.underlying == coin),
                valuation=valuation,
                parameters=parameters,
            )
        )
        for coin in sorted({row.instrument.underlying for row in rows})
    ]
    currencies = account.currency_entries(valuation, parameters["discount"], parameters["borrow"]["tiers"])
    figures = account_figures(valuation, parameters, units, currencies)
    hedging = {unit["unit"]: max(0.0, unit["spot_in_use"]) for unit in units}
    return {
        "account": figures,
        "currencies": [
            item | {"withdrawable": withdrawable(valuation, parameters, figures, item, hedging)}
            for item in currencies
        ],
        "risk_units": units,
    }


def unit_report(unit: Unit) -> Report:
    """The worst of the positions alone and with the orders of either side."""
    sets = order_sets(unit.valuation, unit.positions, unit.orders, WANTED)
    candidates = [evaluate(unit, chosen) for chosen in sets]
    aliased = [candidate | {"binding": name} for candidate in candidates for name in candidate["aliases"]]
    return with_ties(highest(candidates), [*candidates, *aliased])


def evaluate(unit: Unit, chosen: OrderSet) -> Report:
    """The unit's report for one order set."""
    legs, valuation, parameters = chosen.legs, unit.valuation, unit.parameters
    exposure = greeks(valuation, legs, THETA_HOURS)
    hedge = spot_hedge(unit, exposure["delta"])
    moves = symmetric(entry(parameters["price_moves"], unit.coin))
    pnl = [[total_pnl(unit, legs, hedge, move, column) for column in COLUMNS] for move in moves]
    worst, at_move, at_column = min((pnl[i][j], i, j) for i in range(len(moves)) for j in range(len(COLUMNS)))
    charges = contingencies(unit, legs, hedge)
    max_loss, contingency = max(0.0, -worst), math.fsum(charges.values())
    mmr = max_loss + contingency
    far = (moves[0], moves[-1])
    largest = [max(abs(unit.pnl(leg, move, column)) for move in far for column in COLUMNS) for leg in legs]
    return {
        "unit": unit.coin,
        "binding": chosen.name,
        "aliases": chosen.aliases,
        "mmr": mmr,
        "imr": mmr * unit.factor("im_factor"),
        "spot_in_use": hedge,
        **exposure,
        "upl": unit_upl(valuation, unit.positions),
        "components": {"max_loss": max_loss, **charges, "contingency": contingency},
        "scenarios": {"price_moves": moves, "vol_shifts": list(COLUMNS), "pnl": pnl},
        "worst": {"price_move": moves[at_move], "vol_shift": COLUMNS[at_column], "pnl": worst},
        "gross": gross_of(valuation, legs, largest),
    }


def spot_hedge(unit: Unit, delta: float) -> float:
    """``hq``: the coin balance that offsets the derivatives, within the holder's limits."""
    book = unit.valuation.book
    if book.hedge_mode != "spot_hedge" or unit.coin not in unit.parameters["spot_hedge_coins"]:
        return 0.0
    amount = float(book.cash(unit.coin))
    if amount * delta >= 0.0:
        return 0.0
    limit = book.limit(unit.coin)
    return math.copysign(min(abs(amount) * limit.ratio, limit.max_amount, abs(delta)), amount)


def total_pnl(unit: Unit, legs: Iterable[Leg], hedge: float, move: float, column: str) -> float:
    """P&L of one scenario; spot counts only where it helps."""
    return math.fsum([max(0.0, hedge * unit.spot * move), *(unit.pnl(leg, move, column) for leg in legs)])


def revalue(unit: Unit, instrument: Instrument, move: float, column: str) -> float:
    """USD P&L of one unit of ``n``."""
    if instrument.is_option:
        return option_pnl(unit, instrument, move, column)
    if instrument.inverse:
        return move * unit.spot / instrument.mark
    return instrument.mark * move * unit.valuation.fx(instrument)


def option_pnl(unit: Unit, option: Instrument, move: float, column: str) -> float:
    """From the published mark to the shocked model value; close to expiry the move shrinks."""
    valuation = unit.valuation
    seconds = valuation.seconds(option)
    near = min(1.0, seconds / unit.parameters["near_expiry_seconds"])
    forward = option.forward * (1.0 + move * near)
    vol = option.mark_iv * (1.0 + vol_factor(unit.parameters["vol"], seconds, column))
    mark = option.mark * option.forward if option.is_coin_settled_option else option.mark
    value = valuation.option_value(option, forward, vol, valuation.years(option))
    return (value - mark) * valuation.fx(option)


def vol_factor(rule: Json, seconds: float, column: str) -> float:
    """Relative change of an implied volatility: the shorter the option, the larger, up to a cap."""
    days = max(1, math.ceil(seconds / DAY_SECONDS))
    signed = {"up": rule["up"], "same": 0.0, "down": -rule["down"]}[column]
    return float(signed * (rule["reference_days"] / max(days, rule["cap_days"])) ** rule["power"])


def contingencies(unit: Unit, legs: Sequence[Leg], hedge: float) -> dict[str, float]:
    """The five charges in USD."""
    return {
        "short_option": short_option(unit, legs),
        "vega_spread": vega_spread(unit, legs),
        "stablecoin_spread": stablecoin_spread(unit, legs),
        "delta_spread": calendar_spread(unit, legs) + spot_basis(unit, legs, hedge),
        "perp_futures": perp_futures(unit, legs),
    }


def short_option(unit: Unit, legs: Iterable[Leg]) -> float:
    """Net short calls, and net short puts, of every expiry."""
    net: dict[tuple[datetime | None, str], float] = {}
    for leg in legs:
        if leg.instrument.is_option:
            key = (leg.instrument.expiry, leg.instrument.option_type)
            net[key] = net.get(key, 0.0) + leg.n
    return math.fsum(max(0.0, -n) for n in net.values()) * unit.factor("short_option") * unit.spot


def vega_spread(unit: Unit, legs: Iterable[Leg]) -> float:
    """Vegas of opposite sign in different expiries, by their distance in days."""
    vegas: dict[float, float] = {}
    for leg in legs:
        option = leg.instrument
        if option.is_option:
            years, days = unit.valuation.years(option), unit.valuation.days(option)
            point = black76.vega_point(option.forward, option.strike, option.mark_iv, years)
            vegas[days] = vegas.get(days, 0.0) + leg.n * point / unit.spot
    return distance_times_hedged(vegas) * unit.factor("vega_spread") * unit.spot


def stablecoin_spread(unit: Unit, legs: Iterable[Leg]) -> float:
    """Coin deltas of the settlement groups that offset each other."""
    deltas = {"USDT": 0.0, "USDC": 0.0, "USD": 0.0}
    for leg in legs:
        deltas[leg.instrument.group] += unit.valuation.coin_delta(leg)
    offset = (sum(abs(delta) for delta in deltas.values()) - abs(sum(deltas.values()))) / 2.0
    return offset * unit.factor("stablecoin_spread") * unit.spot


def calendar_spread(unit: Unit, legs: Iterable[Leg]) -> float:
    """Coin deltas of opposite sign in different maturities, by their distance in days."""
    deltas: dict[float, float] = {}
    for leg in legs:
        days = unit.valuation.days(leg.instrument)
        deltas[days] = deltas.get(days, 0.0) + unit.valuation.coin_delta(leg)
    return distance_times_hedged(deltas) * unit.spot * unit.factor("delta_spread")


def distance_times_hedged(by_days: Mapping[float, float]) -> float:
    """Days between the centres of the long and the short side, times the smaller side."""
    long = {days: amount for days, amount in by_days.items() if amount > 0.0}
    short = {days: -amount for days, amount in by_days.items() if amount < 0.0}
    if not long or not short:
        return 0.0
    hedged = min(sum(long.values()), sum(short.values()))
    return abs(centre(long) - centre(short)) * hedged


def centre(amounts: Mapping[float, float]) -> float:
    """Mean of the days, weighted by positive amounts."""
    return sum(days * amount for days, amount in amounts.items()) / sum(amounts.values())


def spot_basis(unit: Unit, legs: Iterable[Leg], hedge: float) -> float:
    """Basis of the derivatives that the hedging spot stands against, beyond what its discount covers."""
    if hedge == 0.0:
        return 0.0
    rule = entry(unit.parameters["spot_basis"], unit.coin)
    deltas = [(unit.valuation.coin_delta(leg), leg.instrument) for leg in legs]
    opposite = [(abs(delta), instrument) for delta, instrument in deltas if delta * hedge < 0.0]
    premiums = [
        weight * (forward_price(unit, instrument) / unit.spot - 1.0) for weight, instrument in opposite
    ]
    mean = math.fsum(premiums) / math.fsum(weight for weight, _ in opposite)
    uncovered = 1.0 - collateral_ratio(unit.parameters, unit.coin)
    excess = abs(mean) * rule["factor"] - rule["threshold"] - uncovered
    return float(abs(hedge) * unit.spot * max(0.0, excess))


def forward_price(unit: Unit, instrument: Instrument) -> float:
    """Mark of a perpetual or future, forward of an option, in USD."""
    price = instrument.forward if instrument.is_option else instrument.mark
    return price * unit.valuation.fx(instrument)


def perp_futures(unit: Unit, legs: Iterable[Leg]) -> float:
    """Gross coins of perpetuals and futures."""
    coins = math.fsum(
        abs(leg.n) * unit.valuation.unit_coins(leg.instrument) for leg in legs if not leg.instrument.is_option
    )
    return coins * unit.factor("perp_futures") * unit.spot
