"""What a fill does to position and cash, by the published rules and by what must always hold."""

from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from margin.engine.fills import UNIT, ZERO, Contract, Effect, Fill, Holding, filled, merged, settled
from margin.engine.instruments import Instrument, Kind, OptionType, Style

WIDE = Context(prec=160)
LINEAR = Contract(Kind.PERPETUAL, "BTC", "USDT", Decimal("0.01"), Style.LINEAR)
INVERSE = Contract(Kind.PERPETUAL, "BTC", "BTC", Decimal(100), Style.INVERSE)
SPOT = Contract(Kind.SPOT, "BTC", "USDT")
CALL = Contract(Kind.OPTION, "BTC", "BTC", Decimal("0.01"), Style.INVERSE, Decimal(100_000), OptionType.CALL)
PUT = Contract(Kind.OPTION, "BTC", "USDT", Decimal("0.01"), Style.LINEAR, Decimal(100_000), OptionType.PUT)

FUTURES = st.sampled_from([LINEAR, INVERSE])
PRICES = st.decimals("0.01", "1000000", places=6)
QUANTITIES = st.decimals("-100000", "100000", places=4)
FEES = st.decimals("-5", "5", places=8)
FILLS = st.builds(Fill, QUANTITIES.filter(bool), PRICES, FEES, st.just("USDT"))


def _held(quantity: str, entry: str) -> Holding:
    return Holding(Decimal(quantity), Decimal(entry))


def _fill(quantity: str, price: str, fee: str = "0", currency: str = "USDT") -> Fill:
    return Fill(Decimal(quantity), Decimal(price), Decimal(fee), currency)


def _value(contract: Contract, holding: Holding, mark: Decimal) -> Decimal:
    """Unrealised P&L, or an option's market value, in the settle currency, to 160 digits."""
    size = WIDE.multiply(holding.quantity, contract.contract_size)
    if contract.kind is Kind.OPTION:
        return WIDE.multiply(size, mark)
    if not holding.quantity:
        return ZERO
    moved = WIDE.multiply(size, WIDE.subtract(mark, holding.entry_price))
    if contract.style is Style.INVERSE:
        return WIDE.divide(moved, WIDE.multiply(holding.entry_price, mark))
    return moved


def _slack(contract: Contract, holding: Holding, mark: Decimal) -> Decimal:
    """The most that rounding may cost: some units of cash, and one unit of the entry price."""
    size = abs(holding.quantity * contract.contract_size)
    if contract.kind is Kind.PERPETUAL and contract.style is Style.INVERSE and holding.quantity:
        size = size / (holding.entry_price - UNIT) ** 2
    return 3 * UNIT + size * UNIT + Decimal("1e-24")


def test_a_reduction_realises_its_part_and_the_rest_keeps_its_entry() -> None:
    effect = filled(LINEAR, _held("10", "100000"), _fill("-4", "101000"))
    assert effect == Effect(_held("6", "100000"), {"USDT": Decimal(40)})


def test_a_linear_increase_is_averaged_by_quantity() -> None:
    effect = filled(LINEAR, _held("-1", "100"), _fill("-3", "200"))
    assert effect == Effect(_held("-4", "175"))


def test_an_inverse_increase_leaves_the_unrealised_profit() -> None:
    effect = filled(INVERSE, _held("1", "50000"), _fill("1", "100000"))
    assert effect.holding.quantity == 2
    assert effect.holding.entry_price == Decimal("66666.666666666666666667")
    assert not effect.cash


def test_what_crosses_zero_opens_at_the_price_of_the_fill() -> None:
    effect = filled(LINEAR, _held("2", "100"), _fill("-5", "90", fee="0.5"))
    assert effect == Effect(_held("-3", "90"), {"USDT": Decimal("-0.7")})


def test_a_closed_position_is_gone_with_its_entry() -> None:
    assert filled(LINEAR, _held("2", "100"), _fill("-2", "100")) == Effect(Holding())


def test_an_option_is_paid_for_and_its_fee_taken_where_it_says() -> None:
    effect = filled(CALL, Holding(), _fill("10", "0.05", fee="1.25"))
    assert effect == Effect(_held("10", "0.05"), {"BTC": Decimal("-0.005"), "USDT": Decimal("-1.25")})


def test_a_spot_fill_moves_two_balances_and_a_fee_in_the_base_is_taken_from_what_was_bought() -> None:
    effect = filled(SPOT, Holding(), _fill("0.5", "100000", fee="0.0005", currency="BTC"))
    assert effect.cash == {"BTC": Decimal("0.4995"), "USDT": Decimal(-50_000)}


def test_opposite_rows_cancel_at_mark_and_both_sides_are_paid_out() -> None:
    rows = [_held("10", "100"), _held("-4", "120")]
    assert merged(LINEAR, rows, Decimal(110)) == Effect(_held("6", "100"), {"USDT": Decimal("0.8")})
    assert merged(LINEAR, rows[:1], Decimal(110)) == Effect(rows[0])
    assert merged(LINEAR, [], Decimal(110)) == Effect(Holding())


@pytest.mark.parametrize(
    ("contract", "held", "price", "cash"),
    [
        (LINEAR, _held("10", "100000"), "99000", {"USDT": Decimal(-100)}),
        (INVERSE, _held("-2", "50000"), "100000", {"BTC": Decimal("-0.002")}),
        (CALL, _held("10", "0.05"), "125000", {"BTC": Decimal("0.02")}),
        (CALL, _held("10", "0.05"), "90000", {}),
        (PUT, _held("-10", "900"), "90000", {"USDT": Decimal(-1000)}),
    ],
)
def test_expiry_pays_profit_or_intrinsic_value(
    contract: Contract, held: Holding, price: str, cash: dict[str, Decimal]
) -> None:
    effect = settled(contract, held, Decimal(price))
    assert effect == Effect(Holding(), cash)


def test_a_short_options_fraction_is_rounded_against_its_holder() -> None:
    price = Decimal(300_000)
    paid = settled(CALL, _held("-1", "0"), price).cash["BTC"]
    received = settled(CALL, _held("1", "0"), price).cash["BTC"]
    assert (received, paid) == (Decimal("0.006666666666666666"), Decimal("-0.006666666666666667"))


def test_the_terms_of_a_document_are_its_decimals() -> None:
    document = Instrument("X", Kind.PERPETUAL, "BTC", "USDT", Style.LINEAR, contract_size=0.01, mark=1.0)
    assert Contract.of(document) == LINEAR


@given(st.sampled_from([LINEAR, INVERSE, CALL, PUT]), st.lists(FILLS, min_size=1, max_size=8), PRICES)
def test_equity_at_mark_changes_by_nothing_but_the_fee(
    contract: Contract, fills: list[Fill], mark: Decimal
) -> None:
    held = Holding()
    for fill in fills:
        at_mark = Fill(fill.quantity, mark, fill.fee, contract.settle)
        effect = filled(contract, held, at_mark)
        cash = effect.cash.get(contract.settle, ZERO)
        before = _value(contract, held, mark)
        change = WIDE.add(WIDE.subtract(_value(contract, effect.holding, mark), before), cash)
        lost = WIDE.subtract(-fill.fee, change)
        # 160 digits are not quite exact for an inverse contract.
        assert -Decimal("1e-100") <= lost <= _slack(contract, effect.holding, mark)
        # The next one starts from where an arbitrary price has led.
        held = filled(contract, held, fill).holding


def _rounding(contract: Contract, rows: list[Holding], mark: Decimal) -> Decimal:
    """The most that averaging rows one after the other may cost: each step one unit of a shared entry."""
    together = Holding(sum((abs(row.quantity) for row in rows), ZERO), min(row.entry_price for row in rows))
    return 2 * len(rows) * _slack(contract, together, mark)


@given(FUTURES, st.lists(FILLS, min_size=1, max_size=8), PRICES)
def test_a_sequence_of_fills_pays_the_price_differences(
    contract: Contract, fills: list[Fill], mark: Decimal
) -> None:
    with localcontext(WIDE):
        held, cash, expected = Holding(), ZERO, ZERO
        for fill in fills:
            effect = filled(contract, held, Fill(fill.quantity, fill.price))
            held, cash = effect.holding, cash + effect.cash.get(contract.settle, ZERO)
            expected += _value(contract, Holding(fill.quantity, fill.price), mark)
        lost = expected - cash - _value(contract, held, mark)
        trades = [Holding(fill.quantity, fill.price) for fill in fills]
        assert -Decimal("1e-100") <= lost <= _rounding(contract, trades, mark)


@given(FUTURES, st.lists(st.builds(Holding, QUANTITIES.filter(bool), PRICES), min_size=1, max_size=6), PRICES)
def test_merging_rows_costs_no_equity_at_mark(contract: Contract, rows: list[Holding], mark: Decimal) -> None:
    with localcontext(WIDE):
        effect = merged(contract, rows, mark)
        before = sum((_value(contract, row, mark) for row in rows), ZERO)
        after = _value(contract, effect.holding, mark) + effect.cash.get(contract.settle, ZERO)
        assert effect.holding.quantity == sum((row.quantity for row in rows), ZERO)
        assert -Decimal("1e-100") <= before - after <= _rounding(contract, rows, mark)


@given(st.builds(Fill, QUANTITIES.filter(bool), PRICES))
def test_spot_bought_and_sold_at_one_price_never_gains(fill: Fill) -> None:
    there = filled(SPOT, Holding(), fill).cash
    back = filled(SPOT, Holding(), Fill(-fill.quantity, fill.price)).cash
    assert there["BTC"] + back["BTC"] == 0
    assert -2 * UNIT <= there["USDT"] + back["USDT"] <= 0
