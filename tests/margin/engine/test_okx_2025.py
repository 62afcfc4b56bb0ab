"""okx-2025 factor by factor, in figures that can be worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from margin.engine.instruments import Group
from margin.engine.methodologies.okx_2025 import depeg_charge
from margin.engine.parameters.okx import OkxParameters
from margin.parameter_files import shipped_library
from tests.margin.engine.support import (
    BTC,
    PERPETUAL,
    Document,
    after,
    book,
    future,
    option,
    position,
    report,
    unit,
)
from tests.reference.strategies import parameters_of


@pytest.fixture(scope="module")
def parameters() -> OkxParameters:
    version = shipped_library().named("okx-2025", "2025-01-21")
    assert isinstance(version, OkxParameters)
    return version


def exact(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def component(name: str, document: Document) -> float:
    return float(unit(document)["components"][name])


def priced(*instruments: Document, **changes: Any) -> dict[str, Any]:
    return {"instruments": instruments} | changes


# Spot in use


@pytest.mark.parametrize(
    ("held", "coins", "limit", "in_use"),
    [
        (-5, 3, {}, 3),
        (-5, 8, {}, 5),
        (5, -3, {}, -3),
        (5, -8, {}, -5),
        (5, 3, {}, 0),
        (-5, -3, {}, 0),
        (-5, 0, {}, 0),
        (0, 3, {}, 0),
        (-5, 8, {"ratio": 0.5}, 4),
        (-5, 8, {"ratio": 0}, 0),
        (-5, 8, {"max_amount": 2}, 2),
        (-5, 8, {"max_amount": 0}, 0),
        (-5, 8, {"ratio": 0.25, "max_amount": 3}, 2),
        (-5, 20, {"ratio": 0.5, "max_amount": None}, 5),
        (5, -8, {"ratio": 0.5, "max_amount": 3}, -3),
    ],
)
def test_spot_in_use(held: int, coins: int, limit: Document, in_use: float) -> None:
    entry = unit(book([position(PERPETUAL, held)], balances={"BTC": coins}, hedge_limits={"BTC": limit}))
    assert entry["spot_in_use"] == in_use
    assert entry["delta"] == held


def test_perfect_hedge_costs_nine_tenths_of_a_percent() -> None:
    """0.2 % of basis on the spot and on the perpetual, 0.5 % of depeg between USD and USDT."""
    entry = unit(book([position(PERPETUAL, -1)], balances={"BTC": 1}))
    assert entry["components"]["mr1"] == entry["components"]["mr6"] == 0.0
    assert entry["components"]["mr4"] == exact(0.004 * BTC)
    assert entry["components"]["mr9"] == exact(0.005 * BTC)
    assert entry["mmr"] == exact(0.009 * BTC)


# MR1 and MR6


def test_linear_contract_moves_with_the_index_and_keeps_its_basis() -> None:
    basis = future("USDT", mark=BTC * 1.05)
    entry = unit(book([position(basis, 2)], **priced(basis)))
    assert entry["components"]["mr1"] == exact(2 * 0.12 * BTC)
    assert entry["components"]["mr6"] == exact(0.5 * 2 * 0.24 * BTC)


def test_inverse_contract_pays_coins_at_the_shocked_index() -> None:
    """A fall of m costs n (1/F' - 1/F) coins, each worth S (1 - m); a flat basis makes that n m."""
    entry = unit(book([position(future("BTC"), 100_000)]))
    assert entry["components"]["mr1"] == exact(0.12 * 100_000)


def test_option_is_revalued_in_full() -> None:
    """A put without volatility, struck at the forward, gains exactly the fall when it is long."""
    put = option("USDT", BTC, "put", mark_iv=0.0)
    scenarios = unit(book([position(put, 1)], **priced(put)))["scenarios"]
    same = [row[1] for row in scenarios["pnl"]]
    assert same == [exact(max(0.0, -move * BTC)) for move in scenarios["price_moves"]]


def test_volatility_shift_is_linear_between_nodes() -> None:
    """At 15 days, half way from 30 to 25 points: an at-the-money call at 27.5 points more."""
    call = option("USDT", BTC, "call", 15, mark_iv=0.5)
    scenarios = unit(book([position(call, 1)], **priced(call)))["scenarios"]
    root = math.sqrt(15 / 365)
    values = [BTC * math.erf(vol * root / 2 / math.sqrt(2)) for vol in (0.225, 0.5, 0.775)]
    still = scenarios["pnl"][scenarios["price_moves"].index(0.0)]
    assert still == [exact(value - values[1]) for value in values]


def test_a_relative_shift_multiplies_the_volatility() -> None:
    """At 15 days, half way from 50 % to 35 %: a call at 57.5 % and at 142.5 % of its volatility."""
    nodes = [{"days": days, "shift": shift} for days, shift in ((0, 0.5), (30, 0.35), (60, 0.25))]
    stored = parameters_of({"methodology": "okx-2025", "parameters": "2025-01-21"})
    shift = {"unit": "relative", "nodes": nodes, "min_vol": 0.01}
    inline = stored | {"mr1": stored["mr1"] | {"vol_shift": shift}}
    call = option("USDT", BTC, "call", 15, mark_iv=0.5)
    scenarios = unit(book([position(call, 1)], **priced(call)) | {"parameters": inline})["scenarios"]
    root = math.sqrt(15 / 365)
    values = [BTC * math.erf(vol * root / 2 / math.sqrt(2)) for vol in (0.2875, 0.5, 0.7125)]
    still = scenarios["pnl"][scenarios["price_moves"].index(0.0)]
    assert still == [exact(value - values[1]) for value in values]


# MR2 to MR5


def test_decay_takes_all_of_an_option_that_expires_within_the_day() -> None:
    call = option("USDT", BTC, "call", 0.5, mark_iv=0.5)
    entry = unit(book([position(call, 1)], **priced(call)))
    value = BTC * math.erf(0.5 * math.sqrt(0.5 / 365) / 2 / math.sqrt(2))
    assert entry["theta"] == exact(-value)
    assert entry["components"]["mr2"] == exact(value)


def test_term_structure_costs_nothing_with_one_expiry() -> None:
    calls = [option("USDT", strike, "call", 30) for strike in (90_000.0, 110_000.0)]
    held = [position(calls[0], 1), position(calls[1], -3)]
    assert component("mr3", book(held, **priced(*calls))) == exact(0.0)


def test_term_structure_costs_where_two_expiries_face_each_other() -> None:
    """The parallel shift hides a calendar; three tenths of what it hides is charged."""
    near, far = option("USDT", BTC, "call", 30), option("USDT", BTC, "call", 90)
    entry = unit(book([position(near, -1), position(far, 1)], **priced(near, far)))
    single = [
        unit(book([row], **priced(near, far)))["scenarios"]["pnl"]
        for row in (position(near, -1), position(far, 1))
    ]
    worst = max(-sum(min(grid[i]) for grid in single) for i in range(7))
    assert entry["components"]["mr3"] == exact(0.3 * (worst - entry["components"]["mr1"]))
    assert entry["components"]["mr3"] > 0.0


def test_basis_charges_every_expiry_on_its_own() -> None:
    """Opposite futures of two expiries pay twice; of one expiry, in whatever settlement, they net."""
    near, twin, far = future("USDT", 73), future("USDC", 73), future("USDT", 146)
    listed = priced(near, twin, far)
    rate = [0.002 + 0.05 * days / 365 for days in (73, 146)]
    assert component("mr4", book([position(near, 1), position(far, -1)], **listed)) == exact(sum(rate) * BTC)
    assert component("mr4", book([position(near, 1), position(twin, -1)], **listed)) == 0.0


def test_rates_discount_the_worst_curve() -> None:
    """At 30 days the parallel rise of 7.5 points is the worst for a long option."""
    call = option("USDT", BTC, "call", 30, mark_iv=0.5)
    years = 30 / 365
    value = BTC * math.erf(0.5 * math.sqrt(years) / 2 / math.sqrt(2))
    expected = value * (1.0 - math.exp(-0.075 * years))
    assert component("mr5", book([position(call, 1)], **priced(call))) == exact(expected)


@pytest.mark.parametrize(("held", "share"), [(1, 1.0), (-1, 0.0)])
def test_a_curve_that_only_rises_costs_what_is_long(held: int, share: float) -> None:
    stored = parameters_of({"methodology": "okx-2025", "parameters": "2025-01-21"})
    inline = stored | {"mr5": {"tenor_days": [1, 360], "curves": [[0.1, 0.1]]}}
    call, years = option("USDT", BTC, "call", 30, mark_iv=0.5), 30 / 365
    value = BTC * math.erf(0.5 * math.sqrt(years) / 2 / math.sqrt(2))
    document = book([position(call, held)], **priced(call)) | {"parameters": inline}
    assert component("mr5", document) == exact(share * value * (1.0 - math.exp(-0.1 * years)))


# MR7


@pytest.mark.parametrize(
    ("raw", "charge"),
    [
        (1_000.0, 1_000.0),
        (250_000.0, 250_000.0),
        (250_001.0, 250_002.0),
        (500_000.0, 750_000.0),
        (1_000_000.0, 2_750_000.0),
        (2_000_000.0, 8_750_000.0),
        (5_000_000.0, 38_750_000.0),
    ],
)
def test_minimum_charge_tiers(raw: float, charge: float) -> None:
    """Marginal multipliers 1, 2, 4, 6, 8, 10 and 12 of tier1, on 0.45 % of the notional."""
    contracts = raw / (0.0045 * BTC)
    assert component("mr7", book([position(PERPETUAL, contracts)])) == exact(charge)


@pytest.mark.parametrize(
    ("quantity", "mark", "expected"),
    [
        (-1, 5_000.0, 0.02 * BTC + 0.0003 * BTC),
        (-1, 100.0, 0.02 * BTC + 0.07 * 100.0),
        (1, 5_000.0, 0.02 * BTC + 0.0003 * BTC),
        (1, 100.0, 100.0),
        (1, 0.0, 0.0),
        (-1, 0.0, 0.02 * BTC),
    ],
)
def test_minimum_charge_of_options(quantity: int, mark: float, expected: float) -> None:
    """Slippage and the capped fee; closing a long never costs more than it is worth."""
    call = option("USDT", 110_000.0, mark=mark)
    assert component("mr7", book([position(call, quantity)], **priced(call))) == exact(expected)


# MR9


def test_ten_million_between_usdt_and_usd_at_a_pair_price_of_0985(parameters: OkxParameters) -> None:
    """0.75 % of the first million, 1.75 % of the next four, 2.5 % of the last five."""
    assert parameters.depeg is not None
    cash = np.array([[-1e7], [0.0], [1e7]])
    fx = {Group.USDT: 0.985, Group.USDC: 1.0, Group.USD: 1.0}
    assert depeg_charge(cash, fx, parameters.depeg)[0] == exact(202_500.0)


@pytest.mark.parametrize(
    ("cash", "charge"),
    [
        ((0, 0, 0), 0),
        ((1e5, 1e5, 1e5), 0),
        ((1e5, 0, 0), 0),
        ((-1e5, 0, 1e5), 500),
        ((-1e5, 1e5, 0), 500),
        ((0, -1e5, 1e5), 500),
        ((-3e5, 2e5, 1e5), 1_500),
        ((-1e5, -2e5, 3e5), 1_500),
        ((-2e6, 1e6, 1e6), 10_000),
    ],
)
def test_depeg_offsets_pair_by_pair(
    cash: tuple[float, float, float], charge: float, parameters: OkxParameters
) -> None:
    """At par 0.5 % of what two groups hedge; every pair starts at the first size tier."""
    assert parameters.depeg is not None
    given = np.array([[float(x)] for x in cash])
    before = given.copy()
    assert depeg_charge(given, dict.fromkeys(Group, 1.0), parameters.depeg)[0] == exact(charge)
    assert (given == before).all()


def test_a_dear_stablecoin_costs_what_a_cheap_one_does(parameters: OkxParameters) -> None:
    assert parameters.depeg is not None
    cash = np.array([[-1e6], [0.0], [1e6]])
    prices = [{Group.USDT: p, Group.USDC: 1.0, Group.USD: 1.0} for p in (0.985, 1 / 0.985)]
    cheap, dear = (depeg_charge(cash, fx, parameters.depeg)[0] for fx in prices)
    assert cheap == exact(dear)


# MR8 and the account


@pytest.mark.parametrize(
    ("debt", "mmr", "imr"), [(1e6, 0.02, 0.1), (1_000_001, 0.04, 0.2), (6e6, 0.08, 0.34)]
)
def test_borrowing_pays_the_rate_of_the_tier_it_falls_in(debt: float, mmr: float, imr: float) -> None:
    account = report(book(balances={"USDT": -debt, "USD": 1e8}))["account"]
    assert account["borrow_mmr"] == exact(mmr * debt)
    assert account["borrow_imr"] == exact(imr * debt)
    assert account["liquidation_fee"] == exact(0.001 * debt * (1 + mmr))
    assert account["adjusted_equity"] == exact(1e8 - debt)


def test_collateral_is_discounted_slice_by_slice() -> None:
    account = report(book(balances={"BTC": 30}))["account"]
    assert account["net_equity"] == exact(30 * BTC)
    assert account["adjusted_equity"] == exact((20 * 0.98 + 5 * 0.9775 + 5 * 0.97) * BTC)


@pytest.mark.parametrize(
    ("equity", "status"),
    [
        (1.0, "liquidation"),
        (12_200.0, "liquidation"),
        (12_201.0, "warning"),
        (36_600.0, "warning"),
        (36_601.0, "normal"),
    ],
)
def test_status_by_margin_ratio(equity: float, status: str) -> None:
    """A lone perpetual needs 12 % of stress and 0.2 % of basis; thresholds belong to the worse side."""
    account = report(book([position(PERPETUAL, 1)], balances={"USD": equity}))["account"]
    assert account["mmr"] == exact(12_200.0)
    assert (account["status"], account["leverage"]) == (
        status,
        pytest.approx(BTC / equity, rel=1e-9),
    )


def test_option_that_expires_in_a_second_is_margined() -> None:
    call = option("USDT", BTC, "call", 1) | {"expiry": after(1 / 86_400)}
    assert unit(book([position(call, -1)], **priced(call)))["mmr"] > 0.0
