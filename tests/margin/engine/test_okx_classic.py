"""okx-classic where it differs from okx-2025, in figures that can be worked out by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.margin.engine.support import (
    BTC,
    PERPETUAL,
    SPOT,
    Document,
    book,
    future,
    option,
    order,
    position,
    report,
    unit,
)

NEWEST = "2025-01-15"


def exact(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def classic(*positions: Document, version: str | None = NEWEST, **rest: Any) -> Document:
    return book(positions, **rest) | {"methodology": "okx-classic", "parameters": version}


def units(document: Document) -> dict[str, Document]:
    return {entry["unit"]: entry for entry in report(document)["risk_units"]}


def component(name: str, document: Document) -> float:
    return float(unit(document)["components"][name])


# Risk units and modes


def test_a_unit_is_a_coin_in_a_settlement_group() -> None:
    held = [future("USDT"), future("USDC"), future("BTC"), option("BTC", BTC)]
    found = units(classic(*(position(item, -1) for item in held), instruments=held))
    assert list(found) == ["BTC-USD", "BTC-USDC", "BTC-USDT"]
    assert set(found["BTC-USD"]["components"]) == {"mr1", "mr2", "mr3", "mr4", "mr5", "mr6", "mr7"}


def test_nothing_offsets_between_settlement_groups() -> None:
    held = [position(future("USDT"), 1), position(future("USDC"), -1)]
    assert [entry["components"]["mr1"] for entry in units(classic(*held)).values()] == [exact(0.12 * BTC)] * 2


@pytest.mark.parametrize(
    ("mode", "hedged"),
    [
        (None, None),
        ("derivatives_only", None),
        ("spot_usdt", "BTC-USDT"),
        ("spot_usdc", "BTC-USDC"),
        ("spot_crypto", "BTC-USD"),
    ],
)
def test_the_mode_names_the_unit_that_takes_the_spot(mode: str | None, hedged: str | None) -> None:
    held = [position(future("USDT"), -1), position(future("USDC"), -1), position(future("BTC"), -BTC)]
    for name, entry in units(classic(*held, balances={"BTC": 5}, hedge_mode=mode)).items():
        assert entry["spot_in_use"] == (1.0 if name == hedged else 0.0)


@pytest.mark.parametrize(
    ("mode", "binding"), [("spot_usdt", "positions_with_spot_orders"), (None, "positions")]
)
def test_spot_orders_join_the_unit_that_takes_the_spot(mode: str | None, binding: str) -> None:
    document = classic(position(PERPETUAL, -1), orders=[order(SPOT, "buy", 1)], hedge_mode=mode)
    assert unit(document)["binding"] == binding


# Revaluation


def test_inverse_contract_pays_coins_at_todays_index() -> None:
    """A fall of m costs n (1/F' - 1/F) coins of S each: n m / (1 - m) on a flat basis."""
    held = classic(position(future("BTC"), 100_000))
    assert component("mr1", held) == exact(100_000 * 0.12 / 0.88)


def test_coin_settled_option_changes_its_price_in_coins() -> None:
    """A put without volatility, struck at the forward, is worth m / (1 - m) of a coin after a fall of m."""
    put = option("BTC", BTC, "put", mark_iv=0.0)
    scenarios = unit(classic(position(put, 1), instruments=[put]))["scenarios"]
    expected = [BTC * max(0.0, -move) / (1.0 + move) for move in scenarios["price_moves"]]
    assert [row[1] for row in scenarios["pnl"]] == [exact(value) for value in expected]


# MR4


def published(as_of: str) -> Document:
    """10 BTC of spot against 1,000 short contracts of 0.01 BTC, at 67,111."""
    swap = PERPETUAL | {"contract_size": 0.01, "mark": 67_111.0}
    document = classic(
        position(swap, -1_000, 67_111.0),
        version=None,
        instruments=[swap],
        index=67_111.0,
        balances={"BTC": 10},
        hedge_mode="spot_usdt",
    )
    return document | {"as_of": as_of}


@pytest.mark.parametrize(
    ("as_of", "charge"), [("2024-06-05T04:00:00Z", 8_053.32), ("2024-06-05T03:59:59Z", 0.0)]
)
def test_spot_enters_the_basis_in_june_2024(as_of: str, charge: float) -> None:
    assert component("mr4", published(as_of)) == exact(charge)


NEAR, FAR = future("USDT", 30, 101_000.0), future("USDT", 60, 103_000.0)


@pytest.mark.parametrize(
    ("held", "both_legs", "basis"),
    [
        ([(NEAR, 3)], 0, 0),
        ([(NEAR, 3), (FAR, 2)], 0, 0),
        ([(NEAR, 1), (PERPETUAL, -1)], 2, 1_000),
        ([(NEAR, 4), (PERPETUAL, -1)], 2, 1_000),
        ([(NEAR, 1), (FAR, -1)], 2, 1_000 + 3_000),
        ([(NEAR, 1), (FAR, 1), (PERPETUAL, -1)], 2, 0.5 * 1_000 + 0.5 * 3_000),
        ([(NEAR, -2), (FAR, 1), (PERPETUAL, 3)], 4, 2 * 1_000 + 0.5 * 3_000),
    ],
)
def test_basis_charges_what_buckets_hedge(
    held: Sequence[tuple[Document, float]], both_legs: float, basis: float
) -> None:
    """0.6 % of the index on both hedged legs, and 10 % of the distance of every hedged future from it."""
    rows = [position(item, quantity) for item, quantity in held]
    document = classic(*rows, instruments=[NEAR, FAR, PERPETUAL])
    assert component("mr4", document) == exact(0.006 * both_legs * BTC + 0.1 * basis)


def test_an_expiry_stands_at_the_weighted_mean_of_its_prices() -> None:
    """A put at a forward of 104,000 with half a delta beside a future of one delta at 101,000."""
    put = option("USDT", 104_000.0, "put", 30, mark_iv=0.0, forward=104_000.0)
    held = [position(NEAR, 1), position(put, -1), position(PERPETUAL, -1.5)]
    mean = (101_000.0 + 0.5 * 104_000.0) / 1.5
    document = classic(*held, instruments=[NEAR, put, PERPETUAL])
    assert component("mr4", document) == exact(0.006 * 3 * BTC + 0.1 * 1.5 * (mean - BTC))


def test_a_hedge_can_raise_the_basis_charge_while_it_lowers_the_requirement() -> None:
    alone = unit(classic(position(PERPETUAL, -1), balances={"BTC": 1}))
    hedged = unit(classic(position(PERPETUAL, -1), balances={"BTC": 1}, hedge_mode="spot_usdt"))
    assert (alone["components"]["mr4"], hedged["components"]["mr4"]) == (0.0, exact(0.012 * BTC))
    assert (alone["mmr"], hedged["mmr"]) == (exact(0.12 * BTC), exact(0.012 * BTC))


# Versions and classes


@pytest.mark.parametrize(("version", "charge"), [("2025-01-06", 50_000.0), (NEWEST, 30_000.0)])
def test_minimum_charge_tiers_by_version(version: str, charge: float) -> None:
    """A raw 30,000: 10,000 and twice 20,000 until the tiers were raised."""
    document = classic(position(PERPETUAL, 30_000 / (0.0045 * BTC)), version=version)
    assert component("mr7", document) == exact(charge)


@pytest.mark.parametrize(
    ("version", "mr1", "mr6"), [("2024-06-05", 0.15, 0.5 * 0.3), ("2025-01-06", 0.12, 0.5 * 0.24)]
)
def test_moves_by_version(version: str, mr1: float, mr6: float) -> None:
    components = unit(classic(position(PERPETUAL, 1), version=version))["components"]
    assert (components["mr1"], components["mr6"]) == (exact(mr1 * BTC), exact(mr6 * BTC))


def test_a_coin_may_be_of_another_class_in_another_factor() -> None:
    """SOL moves as any other coin in MR1, by 25 %, and as a tier2 coin in MR6, by 40 % in 2024."""
    perpetual = future("USDT", coin="SOL", mark=200.0)
    document = classic(position(perpetual, 1, 200.0), version="2024-06-05", instruments=[perpetual])
    document["market"]["index"]["SOL-USD"] = 200.0
    components = unit(document)["components"]
    assert (components["mr1"], components["mr6"]) == (exact(50.0), exact(0.5 * 80.0))


def test_a_debt_is_a_loan_that_is_margined() -> None:
    account = report(classic(balances={"USDT": -1e6, "USD": 1e8}))["account"]
    assert (account["borrow_mmr"], account["borrow_imr"]) == (exact(0.02 * 1e6), exact(0.1 * 1e6))
