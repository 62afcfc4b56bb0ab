"""Risk states: set by a person with a reason, and obeyed by whoever enters orders."""

import pytest

from accounts.models import Order
from margin.choices import RiskMode
from margin.risk_states import EVERYWHERE, risk_modes
from margin.services.orders import order_enter
from margin.services.risk_states import risk_state_set
from pmplatform.common.errors import Refused, ValidationFailed
from pmplatform.common.models import AuditRow
from tests.margin.desks import ACTOR, AS_OF, SWAP, account_of, order

pytestmark = pytest.mark.django_db(transaction=True)


def set_mode(mode: RiskMode, underlying: str = EVERYWHERE, reason: str = "a drill") -> None:
    risk_state_set(underlying=underlying, mode=mode, reason=reason, actor=ACTOR, now=AS_OF)


def enter(account_id: int, side: str) -> None:
    terms = order(SWAP, side, "1", "100000")
    order_enter(account_id=account_id, order=terms, actor=ACTOR, now=AS_OF)


@pytest.mark.parametrize("underlying", [EVERYWHERE, "BTC"])
@pytest.mark.parametrize("mode", [RiskMode.HOLD, RiskMode.REDUCE_ONLY])
def test_what_adds_risk_is_refused_and_what_reduces_it_is_not(mode: RiskMode, underlying: str) -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    set_mode(mode, underlying)
    with pytest.raises(Refused, match=f"is in {mode.label.lower()}"):
        enter(account_id, "buy")
    enter(account_id, "sell")
    assert Order.objects.get().side == "sell"


@pytest.mark.parametrize("underlying", [EVERYWHERE, "BTC"])
def test_where_all_is_halted_no_order_is_entered(underlying: str) -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    set_mode(RiskMode.HALT, underlying)
    for side in ("buy", "sell"):
        with pytest.raises(Refused, match="is in halt"):
            enter(account_id, side)
    set_mode(RiskMode.ENABLED, underlying)
    enter(account_id, "buy")


def test_another_underlying_is_nobody_elses_business() -> None:
    account_id = account_of({"USDT": "100000"})
    set_mode(RiskMode.HALT, "ETH")
    enter(account_id, "buy")


def test_a_change_is_audited_with_its_reason_and_needs_one() -> None:
    set_mode(RiskMode.HALT, "BTC", "the index is broken")
    row = AuditRow.objects.latest("id")
    assert (row.action, row.object_id, row.reason) == ("risk_state.set", "BTC", "the index is broken")
    assert (row.before, row.after) == ({"mode": "enabled"}, {"mode": "halt"})
    with pytest.raises(ValidationFailed, match="reason"):
        set_mode(RiskMode.ENABLED, "BTC", " ")
    assert risk_modes(["BTC", "ETH"]) == {"BTC": RiskMode.HALT}
