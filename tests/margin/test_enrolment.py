"""Enrolling, leaving and changing, at the newest snapshot; a refusal says all there is to say."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.choices import EligibilityState, HedgeMode, LedgerKind, Methodology
from accounts.models import Account, EligibilityTransition, Tenant
from accounts.services.accounts import account_create
from accounts.services.changes import account_changing, balance_set
from accounts.services.eligibility import declaration_accept, declaration_publish
from accounts.services.loading import accounts_load
from accounts.verification import ledger_mismatches
from margin.services.enrolment import (
    account_enrol,
    account_leave,
    account_methodology_change,
    hedge_mode_change,
)
from margin.services.market import snapshot_accept
from pmplatform.common.errors import Refused, ValidationFailed
from tests.margin.falling import SWAP, linear_market, moved
from tests.margin.world import ACTOR, AS_OF, world

pytestmark = pytest.mark.django_db(transaction=True)

NOW = AS_OF + timedelta(seconds=60)
OKX, BYBIT, STANDARD = Methodology.OKX_2025, Methodology.BYBIT_UTA, Methodology.STANDARD


def call(account: Account, **changes: Any) -> dict[str, Any]:
    return {"account_id": account.pk, "actor": ACTOR, "now": NOW} | changes


def opened(usdt: int) -> Account:
    """An account outside portfolio margin with so much cash, whose holder has accepted the declaration."""
    world(linear_market(), AS_OF, [])
    tenant = Tenant.objects.get()
    account = account_create(tenant_id=tenant.pk, code="A", methodology=OKX, actor=ACTOR, now=NOW)
    with account_changing(**call(account), kind=LedgerKind.TRANSFER) as change:
        balance_set(change=change, currency="USDT", amount=Decimal(usdt))
    declaration_publish(version="1", text="I understand.", actor=ACTOR, now=NOW)
    declaration_accept(**call(account), version="1", address="192.0.2.1")
    return account


def hedged_book() -> dict[str, Any]:
    """An enrolled account whose long and short offset each other, which `standard` does not see."""
    mark = next(row["mark"] for row in linear_market()["instruments"] if row["id"] == SWAP)
    legs = [
        {"instrument": name, "quantity": quantity, "entry_price": str(mark)}
        for name, quantity in ((SWAP, "2400"), ("BTC-USDC-SWAP", "-2400"))
    ]
    cash = {"USDT": "20000", "USDC": "20000"}
    return {"id": "H", "methodology": "okx-2025", "balances": cash, "positions": legs, "orders": []}


def hedged() -> Account:
    """Its account, in a world of its own."""
    world(linear_market(), AS_OF, [hedged_book()])
    return Account.objects.get(code="H")


def refused(call_it: Any, **arguments: Any) -> Refused:
    with pytest.raises(Refused) as refusal:
        call_it(**arguments)
    return refusal.value


def test_an_account_enrols_with_equity_declaration_and_cover() -> None:
    account = opened(10_100)
    account_enrol(**call(account), methodology=None)
    account.refresh_from_db()
    assert (account.eligibility_state, account.margin_methodology) == ("active", "okx-2025")
    activation = account.activation
    assert activation is not None
    assert activation.acceptance is not None
    assert (activation.acceptance.declaration.version, activation.acceptance.address) == ("1", "192.0.2.1")
    assert activation.net_equity is not None
    assert activation.net_equity >= activation.min_net_equity == 10_000
    assert set(activation.evidence) == {"net_equity", "adjusted_equity", "imr", "as_of"}
    assert list(ledger_mismatches()) == []


def test_an_enrolment_may_choose_the_methodology() -> None:
    account = opened(10_100)
    account_enrol(**call(account), methodology=BYBIT)
    account.refresh_from_db()
    assert (account.methodology, account.margin_methodology) == (BYBIT, BYBIT)


def test_a_new_declaration_is_asked_for_at_the_next_enrolment_and_throws_nobody_out() -> None:
    account = opened(10_100)
    account_enrol(**call(account), methodology=None)
    declaration_publish(version="2", text="I understand more.", actor=ACTOR, now=NOW)
    account.refresh_from_db()
    assert account.eligibility_state == EligibilityState.ACTIVE
    account_leave(**call(account))
    [reason] = refused(account_enrol, **call(account), methodology=None).reasons
    assert "declaration" in reason


def test_a_refused_enrolment_lists_every_reason_with_the_figures() -> None:
    account = opened(9_000)
    declaration_publish(version="2", text="I understand more.", actor=ACTOR, now=NOW)
    Account.objects.filter(pk=account.pk).update(in_liquidation=True)
    late = call(account, now=AS_OF + timedelta(seconds=121))
    refusal = refused(account_enrol, **late, methodology=Methodology.OKX_CLASSIC)
    for word in ("121 s old", "in liquidation", "retired", "declaration", "below the minimum"):
        assert sum(word in reason for reason in refusal.reasons) == 1, word
    assert len(refusal.reasons) == 5
    assert Decimal(refusal.figures["net_equity"]) < 9_100
    assert not EligibilityTransition.objects.exists()


def test_an_enrolled_account_does_not_enrol_again() -> None:
    [reason] = [
        reason
        for reason in refused(account_enrol, **call(hedged()), methodology=None).reasons
        if "declaration" not in reason
    ]
    assert "enrolled already" in reason


def test_standard_is_no_portfolio_margin() -> None:
    [reason] = refused(account_enrol, **call(opened(10_100)), methodology=STANDARD).reasons
    assert "no portfolio margin" in reason


def test_who_could_not_carry_standard_does_not_leave() -> None:
    account = hedged()
    for leave in (
        lambda: account_leave(**call(account)),
        lambda: account_methodology_change(**call(account), methodology=STANDARD, hedge_mode=None),
    ):
        refusal = refused(leave)
        assert ["under standard" in reason for reason in refusal.reasons] == [True]
        assert Decimal(refusal.figures["imr"]) > Decimal(refusal.figures["adjusted_equity"])


def test_who_can_carry_standard_leaves_and_keeps_the_choice() -> None:
    account = opened(20_000)
    account_enrol(**call(account), methodology=None)
    account_leave(**call(account))
    account.refresh_from_db()
    assert (account.eligibility_state, account.margin_methodology) == ("standard", "standard")
    assert (account.methodology, account.activation) == (OKX, None)
    assert "not enrolled" in refused(account_leave, **call(account)).reasons[0]


def test_the_margin_of_an_enrolled_account_follows_its_choice_of_methodology() -> None:
    account = hedged()
    account_methodology_change(**call(account), methodology=BYBIT, hedge_mode=HedgeMode.SPOT_HEDGE)
    account.refresh_from_db()
    assert (account.methodology, account.margin_methodology) == (BYBIT, BYBIT)
    assert (account.hedge_mode, account.eligibility_state) == ("spot_hedge", "active")
    hedge_mode_change(**call(account), hedge_mode=HedgeMode.DERIVATIVES_ONLY)
    account.refresh_from_db()
    assert account.hedge_mode == "derivatives_only"
    kinds = EligibilityTransition.objects.filter(account=account).values_list("kind", flat=True)
    assert list(kinds) == ["loaded", "changed"]
    assert list(ledger_mismatches()) == []


def test_a_change_is_refused_in_liquidation_at_a_stale_market_and_into_retirement() -> None:
    account = hedged()
    Account.objects.filter(pk=account.pk).update(in_liquidation=True)
    late = call(account, now=NOW + timedelta(hours=1))
    classic = refused(
        account_methodology_change, **late, methodology=Methodology.OKX_CLASSIC, hedge_mode=None
    )
    assert len(classic.reasons) == 4
    [reason] = refused(hedge_mode_change, **call(account), hedge_mode=None).reasons
    assert "in liquidation" in reason


@pytest.mark.parametrize(
    ("factor", "seconds", "reason"),
    [(1.5, 5, "index.BTC-USD jumped"), (1.01, 126, "121 s old")],
    ids=["hold", "stale"],
)
def test_nobody_enrols_leaves_or_changes_by_a_market_that_cannot_be_relied_on(
    factor: float, seconds: int, reason: str
) -> None:
    outside = opened(20_000)
    book = {"id": "I", "methodology": "okx-2025", "balances": {"USDT": "20000"}}
    accounts_load(tenant_id=outside.tenant_id, documents=[book], actor=ACTOR, now=AS_OF)
    inside = Account.objects.get(code="I")
    as_of = AS_OF + timedelta(seconds=5)
    snapshot_accept(market=moved(linear_market(), factor), as_of=as_of, source="tests", actor=ACTOR)
    at = {"now": AS_OF + timedelta(seconds=seconds)}
    for refusal in (
        refused(account_enrol, **call(outside, **at), methodology=None),
        refused(account_leave, **call(inside, **at)),
        refused(account_methodology_change, **call(inside, **at), methodology=BYBIT, hedge_mode=None),
        refused(account_methodology_change, **call(inside, **at), methodology=STANDARD, hedge_mode=None),
    ):
        assert any(reason in said for said in refusal.reasons)
    settled = {"now": AS_OF + timedelta(seconds=11)}
    as_of = AS_OF + timedelta(seconds=10)
    snapshot_accept(market=moved(linear_market(), factor), as_of=as_of, source="tests", actor=ACTOR)
    account_enrol(**call(outside, **settled), methodology=None)
    account_leave(**call(inside, **settled))


def test_the_choice_of_an_account_outside_needs_no_market() -> None:
    account = opened(1)
    late = call(account, now=NOW + timedelta(hours=1))
    account_methodology_change(**late, methodology=BYBIT, hedge_mode=None)
    account.refresh_from_db()
    assert (account.methodology, account.margin_methodology) == (BYBIT, STANDARD)


def test_a_hedge_mode_of_another_methodology_is_not_valid() -> None:
    account = opened(1)
    with pytest.raises(ValidationFailed, match="hedge_mode"):
        hedge_mode_change(**call(account), hedge_mode=HedgeMode.SPOT_USDT)


def test_an_account_that_the_newest_snapshot_cannot_price_is_refused_with_the_reason() -> None:
    world(linear_market(), AS_OF, [])
    gone = moved(linear_market(), 1.0)
    gone["instruments"] = [row for row in gone["instruments"] if row["id"] != SWAP]
    snapshot_accept(market=gone, as_of=AS_OF, source="tests", actor=ACTOR)
    tenant = Tenant.objects.get(slug="desk")
    accounts_load(tenant_id=tenant.pk, documents=[hedged_book()], actor=ACTOR, now=AS_OF)
    account = Account.objects.get(code="H")
    assert SWAP in refused(account_leave, **call(account)).reasons[-1]
