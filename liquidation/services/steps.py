"""The act of a worker: one step of a case, decided and done in one transaction that holds the account.

Everything that could forbid the step is read again in it, and whatever the step is made of commits with it:
step, orders, fills, ledger, audit. At a venue that has to be waited for, the transaction writes step and
orders only; `services.venue` sends them and books what comes of it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.choices import LedgerKind
from accounts.services.changes import AccountChange, account_changing
from liquidation import planning
from liquidation.choices import CaseOutcome, CaseState
from liquidation.execution.port import ExecutionPort
from liquidation.models import LiquidationCase, LiquidationControls, LiquidationStep
from liquidation.planner.document import step_document
from liquidation.planner.plan import Outcome, Plan, Trigger
from liquidation.queue import LEASE, Claim, case_hold
from liquidation.services.cases import WORKER, case_check, case_close, case_event, case_tell
from liquidation.services.controls import controls_share, modes_check
from liquidation.services.effects import step_conclude
from liquidation.services.orders import orders_write
from liquidation.services.reporting import report_book
from liquidation.services.takeovers import take_over, takeover_terms
from margin.engine.documents.book import BookDocument
from margin.engine.report import ENGINE_VERSION
from margin.market_states import MarketState
from margin.services.books import stored_book
from pmplatform.common.locking import transaction_idle_limit

Clock = Callable[[], datetime]


class Progress(Enum):
    """What is next: another step, nothing by this worker, or an answer of the venue."""

    AGAIN = auto()
    ENDED = auto()
    SENT = auto()


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a transaction has found: the account as it is, what may be done, and what is to be."""

    controls: LiquidationControls
    market: MarketState
    book: BookDocument
    input_sha256: str
    plan: Plan


@contextmanager
def case_changing(*, claim: Claim, clock: Clock) -> Iterator[tuple[AccountChange, LiquidationCase]]:
    """Hold account and case of a claim, and renew its lease; a closed case is checked for conservation.

    The clock is read when both are locked: who had to wait, or was stopped, goes by what it is then. A
    worker that stops within the transaction loses it soon, since others wait for what it holds.

    Raises
    ------
    StaleClaim, LockTimeout
    """
    with transaction.atomic():
        transaction_idle_limit()
        with account_changing(
            account_id=claim.account_id, kind=LedgerKind.LIQUIDATION, actor=WORKER, now=clock()
        ) as change:
            case = case_hold(claim)
            change.now = clock()
            case.lease_until = change.now + LEASE
            case.save(update_fields=["lease_until"])
            before = _shown(case)
            yield change, case
        case_check(case)
        if _shown(case) != before:
            case_event(case, change.now)


def _shown(case: LiquidationCase) -> tuple[str, int]:
    return case.state, case.steps_done


def step_act(*, claim: Claim, port: ExecutionPort, clock: Clock) -> Progress:
    """Take the next step of a claimed case, or end the case where none is left.

    Raises
    ------
    StepBlocked
        When something forbids the step: kill switch, risk state, a market that is stale or in HOLD.
    Refused
        When the account cannot be margined now.
    StaleClaim, LockTimeout
    """
    with case_changing(claim=claim, clock=clock) as (change, case):
        if case.state == CaseState.PAUSED:
            case.lease_until = None
            case.save(update_fields=["lease_until"])
            return Progress.ENDED
        sight = _look(change, case)
        case.deficit_usd, case.blocked = sight.plan.initial.deficit, ""
        if sight.plan.outcome in _DONE and not sight.plan.steps:
            case_close(change, case, _DONE[sight.plan.outcome])
            return Progress.ENDED
        if sight.controls.approve_mode and case.approved_step <= case.steps_done:
            _approval_ask(case, sight)
            return Progress.ENDED
        case.state = CaseState.WORKING
        if not sight.plan.steps:
            take_over(change, case, sight.plan, sight.book)
            return Progress.ENDED
        return _step_take(change, case, sight, port)


_DONE = {Outcome.SAFE: CaseOutcome.SAFE, Outcome.NOTHING_TO_DO: CaseOutcome.NOTHING_TO_DO}


def _look(change: AccountChange, case: LiquidationCase) -> _Sight:
    """Read again all that decides whether there may be a step, and which."""
    controls, market = controls_share(now=change.now)
    book, sha256 = stored_book(account_id=case.account_id)
    plan = planning.next_step(book, Trigger(case.trigger))
    traded = planning.underlyings_traded(book, plan) if plan.steps else planning.underlyings_held(book)
    modes_check(traded)
    return _Sight(controls, market, book, sha256, plan)


def _approval_ask(case: LiquidationCase, sight: _Sight) -> None:
    """Stop a case until a person has approved what would be done."""
    before = case.state
    case.proposal = _proposal(sight.plan)
    case.state, case.lease_until, case.attempts = CaseState.AWAITING_APPROVAL, None, 0
    case.save()
    if before != CaseState.AWAITING_APPROVAL:
        case_tell(case, actor=WORKER, action="ask_approval", before=before)


def _proposal(plan: Plan) -> dict[str, Any]:
    if plan.steps:
        return step_document(plan.steps[0])
    assert plan.takeover is not None
    return {"kind": "takeover", **takeover_terms(plan.takeover)}


def _step_take(change: AccountChange, case: LiquidationCase, sight: _Sight, port: ExecutionPort) -> Progress:
    step = _step_write(change, case, sight)
    requests = orders_write(step, sight.plan.steps[0].trades, sight.book, refusals=case.refusals)
    if requests and not port.is_immediate:
        case.save()
        return Progress.SENT
    for order, request in requests:
        report_book(change, step, order, port.send(request))
    step_conclude(change, case, step)
    return _ended_where_safe(change, case)


def _step_write(change: AccountChange, case: LiquidationCase, sight: _Sight) -> LiquidationStep:
    """Write what is to be done; a step that nobody would trade is overwritten by the plan of now."""
    [planned] = sight.plan.steps
    document = step_document(planned)
    shown = ("kind", "unit", "component", "reason", "cost_usd", "trades", "conversions", "cancelled")
    step, _ = LiquidationStep.objects.update_or_create(
        case=case,
        number=case.steps_done + 1,
        defaults={
            **{name: document[name] for name in (*shown, "before", "after")},
            "underlyings": planning.underlyings_traded(sight.book, sight.plan),
            "snapshot": sight.market.snapshot,
            "parameters": sight.plan.parameters.version,
            "parameters_sha256": sight.plan.parameters.sha256,
            "engine": ENGINE_VERSION,
            "input_sha256": sight.input_sha256,
            "fence": case.fence,
            "max_age": settings.PM_SNAPSHOT_MAX_AGE.total_seconds(),
            "at": change.now,
        },
    )
    return step


def _ended_where_safe(change: AccountChange, case: LiquidationCase) -> Progress:
    """Close a case whose step has just reached the goal, so that its account is free at once."""
    book, _ = stored_book(account_id=case.account_id)
    if planning.standing(book, Trigger(case.trigger)).outcome is Outcome.SAFE:
        case_close(change, case, CaseOutcome.SAFE)
        return Progress.ENDED
    return Progress.AGAIN
