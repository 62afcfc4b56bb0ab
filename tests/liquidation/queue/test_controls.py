"""What stops the next step, and not the one after: switches, risk states, a market not to be relied on."""

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, transaction

from accounts.models import Account
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.paper import PaperPort
from liquidation.models import LiquidationCase, LiquidationStep
from liquidation.services import cases, work
from liquidation.services.controls import controls_set
from margin.choices import RiskMode
from margin.engine.report import ENGINE_VERSION
from margin.models import MarginRun
from margin.services.risk_states import risk_state_set
from pmplatform.common.errors import Conflict, LockTimeout, ValidationFailed
from pmplatform.common.models import AuditRow
from tests.liquidation.queue import support
from tests.liquidation.queue.support import OFFICER, at, case_of, clock, directional, worked
from tests.margin.engine.support import PERPETUAL, book, future, position

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("invariants_hold")]


def kill(on: bool) -> None:
    controls_set(actor=OFFICER, reason="a drill", now=at(), kill_switch=on)


def approve_mode(on: bool) -> None:
    controls_set(actor=OFFICER, reason="a drill", now=at(), approve_mode=on)


def mode(mode: RiskMode, underlying: str) -> None:
    risk_state_set(underlying=underlying, mode=mode, reason="a drill", actor=OFFICER, now=at())


@pytest.fixture
def one_step_taken(monkeypatch: pytest.MonkeyPatch) -> LiquidationCase:
    """A case that has taken the first of its two steps."""
    monkeypatch.setattr(work, "STEPS_AT_ONCE", 1)
    case = case_of(directional())
    assert work.case_work(port=PaperPort(), clock=clock())
    monkeypatch.setattr(work, "STEPS_AT_ONCE", 20)
    assert LiquidationStep.objects.count() == 1
    return case


Stop = tuple[Callable[[], object], Callable[[], object], str]
STOPS: dict[str, Stop] = {
    "kill switch": (lambda: kill(True), lambda: kill(False), "kill switch"),
    "platform in hold": (
        lambda: mode(RiskMode.HOLD, ""),
        lambda: mode(RiskMode.ENABLED, ""),
        "The platform is in hold",
    ),
    "coin in halt": (
        lambda: mode(RiskMode.HALT, "BTC"),
        lambda: mode(RiskMode.REDUCE_ONLY, "BTC"),
        "BTC is in halt",
    ),
    "another engine": (
        lambda: MarginRun.objects.update(engine="0.0.1"),
        lambda: MarginRun.objects.update(engine=ENGINE_VERSION),
        "by engine 0.0.1",
    ),
    "a jump": (
        lambda: support.snapshot(directional(), 2, 0.7),
        lambda: support.snapshot(directional(), 3, 1.0),
        "jumped",
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_the_next_step_is_not_taken_until_it_is_allowed(name: str, one_step_taken: LiquidationCase) -> None:
    stop, release, words = STOPS[name]
    stop()
    assert worked(2) == 1
    one_step_taken.refresh_from_db()
    assert one_step_taken.steps_done == 1
    assert words in one_step_taken.blocked
    assert one_step_taken.attempts == 0
    release()
    assert worked(6) == 1
    one_step_taken.refresh_from_db()
    assert (one_step_taken.outcome, one_step_taken.steps_done) == (CaseOutcome.SAFE, 2)


def test_a_stale_market_moves_nothing_until_a_fresh_one_comes(one_step_taken: LiquidationCase) -> None:
    assert worked(121) == 1
    one_step_taken.refresh_from_db()
    assert (one_step_taken.steps_done, "old" in one_step_taken.blocked) == (1, True)
    support.snapshot(directional(), 122)
    worked(124)
    one_step_taken.refresh_from_db()
    assert one_step_taken.outcome == CaseOutcome.SAFE


def test_reduce_only_stops_no_liquidation() -> None:
    case = case_of(directional())
    mode(RiskMode.REDUCE_ONLY, "")
    worked()
    case.refresh_from_db()
    assert case.outcome == CaseOutcome.SAFE


def test_who_turns_the_switch_waits_for_the_step_that_is_under_way() -> None:
    case_of(directional())
    refused: list[LockTimeout] = []

    def turn() -> None:
        try:
            kill(True)
        except LockTimeout as error:
            refused.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        support.sharing_controls()
        thread = Thread(target=turn)
        thread.start()
        thread.join()
    assert len(refused) == 1
    kill(True)
    worked()
    assert LiquidationStep.objects.count() == 0


def test_in_approve_mode_each_step_waits_for_a_person() -> None:
    case = case_of(directional())
    approve_mode(True)
    assert worked() == 1
    case.refresh_from_db()
    assert (case.state, case.steps_done) == (CaseState.AWAITING_APPROVAL, 0)
    assert case.proposal is not None and case.proposal["trades"] == [
        {
            "instrument": support.SWAP,
            "side": "sell",
            "quantity": "3",
            "price": "100000",
            "cost_usd": 150.0,
        }
    ]
    with pytest.raises(Conflict, match="step 2"):
        cases.case_approve(case_id=case.pk, step=2, reason="go", actor=OFFICER, now=at())
    cases.case_approve(case_id=case.pk, step=1, reason="go", actor=OFFICER, now=at())
    assert worked() == 1
    case.refresh_from_db()
    assert (case.state, case.steps_done) == (CaseState.AWAITING_APPROVAL, 1)
    assert AuditRow.objects.filter(action="liquidation_case.approve").get().reason == "go"


def test_without_approve_mode_nothing_waits_any_more() -> None:
    case = case_of(directional())
    approve_mode(True)
    worked()
    approve_mode(False)
    worked()
    case.refresh_from_db()
    assert case.outcome == CaseOutcome.SAFE


def test_a_paused_case_takes_no_step_until_it_is_resumed(one_step_taken: LiquidationCase) -> None:
    case_id = one_step_taken.pk
    cases.case_pause(case_id=case_id, reason="a question", actor=OFFICER, now=at())
    assert worked(3) == 0
    with pytest.raises(Conflict):
        cases.case_pause(case_id=case_id, reason="again", actor=OFFICER, now=at())
    with pytest.raises(ValidationFailed, match="reason"):
        cases.case_resume(case_id=case_id, reason="", actor=OFFICER, now=at())
    cases.case_resume(case_id=case_id, reason="answered", actor=OFFICER, now=at())
    worked(3)
    one_step_taken.refresh_from_db()
    assert one_step_taken.outcome == CaseOutcome.SAFE


def test_a_pause_takes_the_case_out_of_a_workers_hands() -> None:
    case = case_of(directional())
    claim = support.claimed()
    cases.case_pause(case_id=case.pk, reason="stop", actor=OFFICER, now=at())
    with pytest.raises(support.StaleClaim):
        support.step_act(claim=claim, port=PaperPort(), clock=clock())
    assert LiquidationStep.objects.count() == 0


def test_a_case_that_fails_again_and_again_is_quarantined_and_its_account_may_only_reduce() -> None:
    case = case_of(directional())
    broken = support.BrokenPort()
    for attempt in range(5):
        with pytest.raises(RuntimeError):
            work.case_work(port=broken, clock=clock(1 + 20 * attempt))
    assert work.cases_quarantine(clock=clock(119)) == 1
    case.refresh_from_db()
    assert (case.state, case.failure) == (
        CaseState.QUARANTINED,
        "failed 5 times: RuntimeError: the venue is on fire",
    )
    account = Account.objects.get()
    assert (account.reduce_only, account.in_liquidation) == (True, True)
    assert LiquidationStep.objects.count() == 0
    cases.case_resume(case_id=case.pk, reason="fixed", actor=OFFICER, now=at(119))
    worked(119)
    case.refresh_from_db()
    assert case.outcome == CaseOutcome.SAFE
    assert not Account.objects.get().reduce_only


def test_an_account_that_cannot_be_margined_waits_and_is_no_failure() -> None:
    month = 30 * 86_400
    dated = future("USDT", 30)
    document = book([position(dated, 10)], balances={"USDT": 70_000}, instruments=[PERPETUAL, dated])
    case = case_of(document)
    document["market"]["instruments"] = [PERPETUAL]
    support.snapshot(document, month + 1)
    worked(month + 2)
    case.refresh_from_db()
    assert "not listed" in case.blocked
    assert (case.attempts, case.steps_done) == (0, 0)
