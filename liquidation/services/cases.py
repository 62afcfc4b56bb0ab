"""The life of a case: opened at a confirmed threshold, moved by workers and people, closed when safe."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from accounts.choices import LedgerKind
from accounts.services.accounts import account_settings_set
from accounts.services.changes import AccountChange, account_changing
from accounts.states import AccountSettings
from liquidation import planning, selectors
from liquidation.choices import CaseOutcome, CaseState, CaseTrigger
from liquidation.models import LiquidationCase
from liquidation.planner.plan import Outcome, Trigger
from liquidation.services.conservation import case_residuals
from margin.services.books import stored_book
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Conflict, NotFound, ValidationFailed
from pmplatform.common.events import EventKind, NewEvent, events_append
from pmplatform.common.locking import rows_lock
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor

#: Topic of the outbox: a case has been opened, moved, or closed.
CASE_CHANGED: Final = "liquidation.case"
WORKER: Final = Actor(name="system:liquidation", request_id="liquidation")


def case_open(*, account_id: int, evidence: Mapping[str, Any], now: datetime) -> LiquidationCase | None:
    """Open a case for an account, if its margin now calls for one and something can be done.

    One that has a live case gets no other. Whatever moved the account since the run that brought it here,
    it is margined again under its lock.

    Raises
    ------
    Refused
        When the account cannot be margined now.
    LockTimeout
    """
    with account_changing(
        account_id=account_id, kind=LedgerKind.LIQUIDATION, actor=WORKER, now=now
    ) as change:
        if selectors.case_live(account_id) is not None:
            return None
        book, _ = stored_book(account_id=account_id)
        plan = planning.next_step(book)
        if plan.trigger is Trigger.NONE or (plan.outcome is Outcome.NOTHING_TO_DO and not plan.steps):
            return None
        case = LiquidationCase.objects.create(
            account=change.account,
            trigger=CaseTrigger(plan.trigger),
            deficit_usd=plan.initial.deficit,
            evidence=dict(evidence),
            opened_at_position=change.account.ledger_position,
            opened_at=now,
            due_at=now,
        )
        restriction_set(change, in_liquidation=True)
        case_tell(case, actor=WORKER, action="open", before=None)
        case_event(case, now)
    return case


def case_close(change: AccountChange, case: LiquidationCase, outcome: CaseOutcome) -> None:
    """Close a case that is held, and lift its restriction; call `case_check` when the ledger is written."""
    before = case.state
    case.state, case.outcome, case.closed_at = CaseState.CLOSED, outcome, change.now
    case.lease_until, case.blocked, case.failure = None, "", ""
    case.save()
    restriction_set(change, in_liquidation=False)
    case_tell(case, actor=change.actor, action="close", before=before)


def case_check(case: LiquidationCase) -> None:
    """Write down whether a closed case conserved cash and positions."""
    if case.state == CaseState.CLOSED:
        case.residuals = case_residuals(case)
        case.save(update_fields=["residuals"])


def restriction_set(
    change: AccountChange, *, reduce_only: bool | None = None, in_liquidation: bool | None = None
) -> None:
    """Restrict the account of a change, or lift a restriction; None leaves it as it is."""
    now = AccountSettings.of(change.account)
    settings = replace(
        now,
        reduce_only=now.reduce_only if reduce_only is None else reduce_only,
        in_liquidation=now.in_liquidation if in_liquidation is None else in_liquidation,
    )
    account_settings_set(change=change, settings=settings)


def case_tell(
    case: LiquidationCase, *, actor: Actor, action: str, before: str | None, reason: str = ""
) -> None:
    """Audit a transition of a case, and have workers and subscribers woken."""
    audit_append(
        actor=actor,
        action=f"liquidation_case.{action}",
        object_type="liquidation_case",
        object_id=case.pk,
        tenant_id=case.account.tenant_id,
        before=None if before is None else {"state": before},
        after={"state": case.state, "outcome": case.outcome, "steps": case.steps_done},
        reason=reason,
    )
    outbox_append(topic=CASE_CHANGED, payload={"case": case.pk, "account": case.account_id})


def case_event(case: LiquidationCase, now: datetime) -> None:
    """Tell subscribers how a case stands; to be called last, since others wait to tell theirs."""
    data = {
        "case": case.pk,
        "account": case.account_id,
        "trigger": case.trigger,
        "state": case.state,
        "outcome": case.outcome,
        "steps": case.steps_done,
        "deficit_usd": case.deficit_usd,
    }
    events_append(events=[NewEvent(EventKind.LIQUIDATION, case.account.tenant_id, data)], now=now)


def case_quarantine(*, case_id: int, reason: str, now: datetime) -> bool:
    """Take a case out of the queue that fails again and again; its account may only reduce from now on."""
    account_id = LiquidationCase.objects.get(pk=case_id).account_id
    with account_changing(
        account_id=account_id, kind=LedgerKind.LIQUIDATION, actor=WORKER, now=now
    ) as change:
        case = LiquidationCase.objects.select_for_update().get(pk=case_id)
        if case.state in (CaseState.QUARANTINED, CaseState.CLOSED):
            return False
        before = case.state
        case.state, case.failure, case.lease_until = CaseState.QUARANTINED, reason[:2000], None
        case.fence += 1
        case.save()
        restriction_set(change, reduce_only=True)
        case_tell(case, actor=WORKER, action="quarantine", before=before, reason=reason)
        case_event(case, now)
    return True


def case_approve(*, case_id: int, step: int, reason: str, actor: Actor, now: datetime) -> LiquidationCase:
    """Let the next step be taken, which is planned anew at the market of its moment.

    Raises
    ------
    ValidationFailed, NotFound, LockTimeout
    Conflict
        When the case does not wait for the approval of this step.
    """
    with _deciding(case_id, reason, actor, now) as (_, case):
        if case.state != CaseState.AWAITING_APPROVAL or case.steps_done + 1 != step:
            raise Conflict(f"The case does not wait for approval of step {step}.")
        case.approved_step, case.proposal = step, None
        _move(case, CaseState.WORKING, "approve", reason, actor, now)
    return case


def case_pause(*, case_id: int, reason: str, actor: Actor, now: datetime) -> LiquidationCase:
    """Stop a case until it is resumed: no step commits after this has.

    Raises
    ------
    ValidationFailed, NotFound, LockTimeout
    Conflict
        When the case is paused already, or closed.
    """
    with _deciding(case_id, reason, actor, now) as (_, case):
        if case.state in (CaseState.PAUSED, CaseState.CLOSED):
            raise Conflict(f"The case is {case.get_state_display()}.")
        _move(case, CaseState.PAUSED, "pause", reason, actor, now)
    return case


def case_resume(*, case_id: int, reason: str, actor: Actor, now: datetime) -> LiquidationCase:
    """Give a case back to the workers: a paused one, one in quarantine, or one that the fund can bear now.

    Raises
    ------
    ValidationFailed, NotFound, LockTimeout
    Conflict
        When the case is not stopped.
    """
    with _deciding(case_id, reason, actor, now) as (change, case):
        if case.state not in (CaseState.PAUSED, CaseState.QUARANTINED, CaseState.ADL_REQUIRED):
            raise Conflict(f"The case is {case.get_state_display()}.")
        if case.state == CaseState.QUARANTINED:
            restriction_set(change, reduce_only=False)
        case.attempts = 0
        _move(case, CaseState.WORKING, "resume", reason, actor, now)
    return case


@contextmanager
def _deciding(
    case_id: int, reason: str, actor: Actor, now: datetime
) -> Iterator[tuple[AccountChange, LiquidationCase]]:
    """Hold a case and its account, in the order of the workers, while a person decides about it."""
    if not reason.strip():
        raise ValidationFailed.at("reason", "is empty")
    account_id = LiquidationCase.objects.filter(pk=case_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise NotFound("There is no such case.")
    kind = LedgerKind.LIQUIDATION
    with account_changing(account_id=account_id, kind=kind, actor=actor, now=now) as change:
        [case] = rows_lock(queryset=LiquidationCase.objects.select_related("account"), ids=[case_id])
        yield change, case


def _move(
    case: LiquidationCase, state: CaseState, action: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Move a case by a person; whoever worked on it has lost it by the fence."""
    before = case.state
    case.state, case.due_at, case.lease_until = state, now, None
    case.fence += 1
    case.save()
    case_tell(case, actor=actor, action=action, before=before, reason=reason)
    case_event(case, now)


def exhausted_reason(case: LiquidationCase) -> str:
    """Why a case is out of attempts."""
    return f"failed {case.attempts} times: {case.failure or 'the worker was lost'}"
