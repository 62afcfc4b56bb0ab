"""A case: why each step was taken, what became of the account, and what may be done now."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.authentication import session_principal
from liquidation import selectors
from liquidation.choices import CaseState
from liquidation.console.queue import VIEW, deficit_words, next_words, state_mark
from liquidation.console.steps import StepView, step_view, stored_step_view
from liquidation.models import LiquidationCase
from liquidation.services.cases import case_approve, case_pause, case_resume
from pmplatform.common.admin import admin_actor
from pmplatform.common.console import ago
from pmplatform.common.errors import NotFound, NotPermitted
from pmplatform.common.pages import attempt, console_page, page_render

OPERATE: Final = "liquidation.operate_liquidation"
_APPROVE, _PAUSE, _RESUME = "approve", "pause", "resume"
_RESUMABLE: Final = (CaseState.PAUSED, CaseState.QUARANTINED, CaseState.ADL_REQUIRED)


@dataclass(frozen=True, slots=True)
class Act:
    """Something that may be done to a case now, and what it will do."""

    name: str
    label: str
    consequence: str
    is_grave: bool


@dataclass(frozen=True)
class CaseView:
    case: LiquidationCase
    state: SafeString
    age: SafeString
    closed: SafeString
    deficit: SafeString
    next: str
    steps: tuple[StepView, ...]
    proposal: StepView | None
    takeover: dict[str, Any] | None
    acts: tuple[Act, ...]
    why_no_acts: str


@console_page(VIEW)
def page(request: HttpRequest, case_id: int) -> HttpResponse:
    """The whole page."""
    view = _view(request, case_id)
    title = f"Case {case_id}: {view.case.account.code}"
    return page_render(request, "liquidation/case.html", title, {"view": view})


@console_page(VIEW)
def live(request: HttpRequest, case_id: int) -> HttpResponse:
    """What lives in the page: all but the forms, in which somebody may be writing."""
    return render(request, "liquidation/case/live.html", {"view": _view(request, case_id)})


@require_POST
@console_page(OPERATE)
def move(request: HttpRequest, case_id: int) -> HttpResponse:
    """Approve the step that was seen, pause, or resume, for a reason."""
    case = _case(request, case_id)
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise Http404
    if why := _forbidding(request, case):
        raise PermissionDenied(why)
    done, do = act
    attempt(request, done, lambda: do(request, case_id))
    return redirect("admin:liquidation_case", case_id)


def _approve(request: HttpRequest, case_id: int) -> None:
    step = request.POST.get("step", "")
    case_approve(
        case_id=case_id,
        step=int(step) if step.isdecimal() else 0,
        reason=request.POST.get("reason", ""),
        actor=admin_actor(request),
        now=timezone.now(),
    )


def _pause(request: HttpRequest, case_id: int) -> None:
    reason = request.POST.get("reason", "")
    case_pause(case_id=case_id, reason=reason, actor=admin_actor(request), now=timezone.now())


def _resume(request: HttpRequest, case_id: int) -> None:
    reason = request.POST.get("reason", "")
    case_resume(case_id=case_id, reason=reason, actor=admin_actor(request), now=timezone.now())


_ACTS: Final[dict[str, tuple[str, Callable[[HttpRequest, int], None]]]] = {
    _APPROVE: ("The step is approved; a worker takes it at the market of that moment.", _approve),
    _PAUSE: ("The case is paused; nothing more is done until it is resumed.", _pause),
    _RESUME: ("The case is with the workers again.", _resume),
}


def _case(request: HttpRequest, case_id: int) -> LiquidationCase:
    try:
        return selectors.case_get(principal=session_principal(request), case_id=case_id)
    except NotFound as missing:
        raise Http404(str(missing)) from missing


def _view(request: HttpRequest, case_id: int) -> CaseView:
    case = _case(request, case_id)
    why = _forbidding(request, case)
    proposal = case.proposal or {}
    return CaseView(
        case=case,
        state=state_mark(case),
        age=ago(case.opened_at, timezone.now()),
        closed=ago(case.closed_at, timezone.now()),
        deficit=deficit_words(case),
        next=next_words(case),
        steps=tuple(map(stored_step_view, selectors.case_steps(case_id))),
        proposal=step_view({**proposal, "number": case.steps_done + 1}) if "trades" in proposal else None,
        takeover=case.takeover or (proposal if proposal.get("kind") == "takeover" else None),
        acts=() if why else tuple(_acts(case)),
        why_no_acts=why,
    )


def _forbidding(request: HttpRequest, case: LiquidationCase) -> str:
    """Why whoever asks may not act on this case; empty if they may."""
    if not request.user.has_perm(OPERATE):
        return "Your role may look at cases, not act on them."
    try:
        principal = session_principal(request)
    except NotPermitted as refusal:
        return str(refusal)
    if not principal.may_write(case.account.tenant_id):
        return f"You have no grant for tenant {case.account.tenant.slug}; an administrator gives one."
    return ""


def _acts(case: LiquidationCase) -> list[Act]:
    acts = []
    if case.state == CaseState.AWAITING_APPROVAL:
        step = case.steps_done + 1
        words = f"Step {step} is planned anew at the market of its moment, and taken."
        acts.append(Act(_APPROVE, f"Approve step {step}", words, True))
    if case.state in _RESUMABLE:
        acts.append(Act(_RESUME, "Resume", "Workers go on with this account at once.", True))
    if case.state not in (CaseState.PAUSED, CaseState.CLOSED):
        words = "No further step of this case is taken. The account stays restricted and at risk."
        acts.append(Act(_PAUSE, "Pause", words, False))
    return acts
