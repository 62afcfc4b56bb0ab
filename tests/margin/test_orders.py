"""Order entry: what adds risk needs equity to carry it, what reduces it is never stopped."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.choices import EligibilityState, Methodology
from accounts.models import Account, LedgerEntry, Order
from accounts.verification import ledger_mismatches
from margin.services.orders import order_enter
from pmplatform.common.errors import Conflict, Refused, ValidationFailed
from tests.accounts.books import account_document, list_instruments, load, make_tenant
from tests.margin.desks import ACTOR, AS_OF, CALL, FUTURE, SPOT, SWAP, account_of, after_expiry, order

pytestmark = pytest.mark.django_db(transaction=True)

EVERY_METHODOLOGY = pytest.mark.parametrize("methodology", list(Methodology))
RESTRICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"reduce_only": True}, "reduce-only"),
    ({"eligibility_state": EligibilityState.SUSPENDED}, "suspended"),
    ({"in_liquidation": True}, "in liquidation"),
]


def _enter(account_id: int, *terms: str, client_id: str = "") -> Order:
    placed = order_enter(
        account_id=account_id,
        order=order(*terms),
        client_id=client_id,
        actor=ACTOR,
        now=AS_OF,
    )
    assert isinstance(placed, Order)
    return placed


@EVERY_METHODOLOGY
def test_an_order_that_equity_covers_is_entered(methodology: str) -> None:
    account_id = account_of({"USDT": "100000"}, methodology=methodology)
    placed = _enter(account_id, SWAP, "buy", "10", "99000")
    assert (placed.state, placed.open_quantity) == ("open", 10)
    assert LedgerEntry.objects.latest("id").kind == "order"
    assert list(ledger_mismatches()) == []


@EVERY_METHODOLOGY
def test_an_order_beyond_equity_is_refused_with_the_numbers_and_leaves_nothing(methodology: str) -> None:
    account_id = account_of({"USDT": "1000"}, methodology=methodology)
    with pytest.raises(Refused, match="would not cover") as refusal:
        _enter(account_id, SWAP, "sell", "1000", "100000")
    figures = {name: Decimal(text) for name, text in refusal.value.figures.items()}
    assert figures["imr_before"] == 0
    assert figures["imr_after"] > figures["adjusted_equity_after"]
    assert figures["imr_rate_after"] > 1
    assert not Order.objects.exists()


@EVERY_METHODOLOGY
def test_an_order_that_reduces_is_entered_whatever_the_account_lacks(methodology: str) -> None:
    account_id = account_of({"USDT": "20"}, [(SWAP, "-100", "100000")], methodology=methodology)
    with pytest.raises(Refused):
        _enter(account_id, SWAP, "sell", "1", "100000")
    Account.objects.update(reduce_only=True)
    assert _enter(account_id, SWAP, "buy", "50", "100000").state == "open"


@pytest.mark.parametrize(("restriction", "reason"), RESTRICTIONS)
def test_a_restricted_account_enters_nothing_that_adds_risk(restriction: dict[str, Any], reason: str) -> None:
    account_id = account_of({"USDT": "100000"}, [(FUTURE, "10", "100000")])
    Account.objects.update(**restriction)
    with pytest.raises(Refused, match=reason) as refusal:
        _enter(account_id, FUTURE, "buy", "10", "100000")
    assert Decimal(refusal.value.figures["imr_after"]) > Decimal(refusal.value.figures["imr_before"])
    assert _enter(account_id, FUTURE, "sell", "10", "100000").state == "open"


def test_the_order_is_margined_by_what_is_in_force_and_not_by_what_is_chosen() -> None:
    hedged = [(SWAP, "300", "100000"), (FUTURE, "-3000", "100000")]
    account_id = account_of({"USDT": "5500"}, hedged)
    Account.objects.update(margin_methodology=Methodology.STANDARD, eligibility_state="standard")
    with pytest.raises(Refused):
        _enter(account_id, SWAP, "buy", "1", "100000")
    Account.objects.update(margin_methodology=Methodology.OKX_2025)
    assert _enter(account_id, SWAP, "buy", "1", "100000").state == "open"


def test_faults_are_named_before_anything_is_margined() -> None:
    account_id = account_of({"USDT": "1000"})
    with pytest.raises(ValidationFailed) as refusal:
        _enter(account_id, "NONE", "hold", "0", "1")
    assert [error.path for error in refusal.value.errors] == ["instrument", "side", "quantity"]


def test_a_client_id_is_used_once() -> None:
    account_id = account_of({"USDT": "100000"})
    _enter(account_id, SPOT, "buy", "0.1", "99000", client_id="c-1")
    with pytest.raises(Conflict, match="c-1"):
        _enter(account_id, SPOT, "buy", "0.1", "99000", client_id="c-1")


def test_an_account_that_cannot_be_margined_enters_no_order_and_is_told_why() -> None:
    account_id = account_of({"BTC": "1"}, [(CALL, "-1", "0.02")])
    after_expiry()
    with pytest.raises(Refused, match=CALL):
        _enter(account_id, SWAP, "buy", "1", "99000")


def test_without_a_snapshot_no_order_is_entered() -> None:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    with pytest.raises(Refused, match="snapshot"):
        _enter(account_id, SWAP, "buy", "1", "99000")
