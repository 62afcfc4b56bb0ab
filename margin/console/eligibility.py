"""Portfolio margin in the console: where an account stands, what would refuse it, and what may be done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.authentication import session_principal
from accounts.choices import EligibilityState, HedgeMode, Methodology
from accounts.eligibility import kept_hedge_mode
from accounts.selectors import account_get, account_writable
from accounts.services.eligibility import declaration_accept
from margin.services.enrolment import (
    Outlook,
    account_enrol,
    account_leave,
    account_methodology_change,
    enrolment_outlook,
)
from margin.services.status import EligibilityStatus, eligibility_status
from pmplatform.common.admin import admin_actor
from pmplatform.common.errors import NotFound, NotPermitted, ValidationFailed
from pmplatform.common.pages import attempt, console_page

SCOPE_RISK: Final = "accounts.scope_risk"
_METHODOLOGIES: Final = tuple(each for each in Methodology if each != Methodology.STANDARD)


@dataclass(frozen=True, slots=True)
class EnrolmentView:
    """`outlooks` are empty for an enrolled account; `acts` name what whoever asks may do now."""

    status: EligibilityStatus
    outlooks: tuple[Outlook, ...]
    acts: frozenset[str]
    why_no_acts: str
    hedge_modes: tuple[str, ...] = tuple(HedgeMode.values)


def enrolment_view(*, request: HttpRequest, account_id: int, now: datetime) -> EnrolmentView:
    """The section of an account, measured at the newest snapshot under every methodology."""
    status = eligibility_status(account_id=account_id, now=now)
    is_outside = status.state == EligibilityState.STANDARD
    why = _forbidding(request, account_id)
    return EnrolmentView(
        status=status,
        outlooks=tuple(_outlooks(account_id, now)) if is_outside else (),
        acts=frozenset() if why else frozenset(_open_acts(status)),
        why_no_acts=why,
    )


@require_POST
@console_page(SCOPE_RISK)
def act(request: HttpRequest, account_id: int) -> HttpResponse:
    """Accept the declaration for the holder, enrol or leave, where the form confirms it."""
    name = request.POST.get("act", "")
    if name not in _ACTS:
        raise BadRequest("There is no such act.")
    try:
        account = account_writable(principal=session_principal(request), account_id=account_id)
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except NotPermitted as refusal:
        raise PermissionDenied(str(refusal)) from refusal
    done, do = _ACTS[name]
    attempt(request, done, lambda: _confirmed(request, account, do))
    return redirect("admin:account", account_id)


def _confirmed(request: HttpRequest, account: Any, do: Callable[[HttpRequest, Any, datetime], None]) -> None:
    if request.POST.get("confirmed") != "yes":
        raise ValidationFailed.at("confirmed", "must be ticked")
    do(request, account, timezone.now())


def _accept(request: HttpRequest, account: Any, now: datetime) -> None:
    declaration_accept(
        account_id=account.pk,
        version=request.POST.get("version", ""),
        address=request.META.get("REMOTE_ADDR"),
        actor=admin_actor(request),
        now=now,
    )


@transaction.atomic
def _enrol(request: HttpRequest, account: Any, now: datetime) -> None:
    """Choose the hedge mode first, so that the enrolment is measured under it; both or neither."""
    methodology, mode = request.POST.get("methodology", ""), request.POST.get("hedge_mode", "")
    if methodology not in _METHODOLOGIES:
        raise ValidationFailed.at("methodology", "is not one of portfolio margin")
    if mode and mode not in HedgeMode.values:
        raise ValidationFailed.at("hedge_mode", "is unknown")
    chosen, actor = Methodology(methodology), admin_actor(request)
    if mode and mode != kept_hedge_mode(account.hedge_mode, chosen):
        account_methodology_change(
            account_id=account.pk, methodology=chosen, hedge_mode=HedgeMode(mode), actor=actor, now=now
        )
    account_enrol(account_id=account.pk, methodology=chosen, actor=actor, now=now)


def _leave(request: HttpRequest, account: Any, now: datetime) -> None:
    account_leave(account_id=account.pk, actor=admin_actor(request), now=now)


_ACTS: Final[dict[str, tuple[str, Callable[[HttpRequest, Any, datetime], None]]]] = {
    "accept": ("The declaration is accepted on the holder's behalf.", _accept),
    "enrol": ("The account is enrolled in portfolio margin.", _enrol),
    "leave": ("The account has left portfolio margin.", _leave),
}


def _outlooks(account_id: int, now: datetime) -> Iterator[Outlook]:
    for methodology in _METHODOLOGIES:
        yield enrolment_outlook(account_id=account_id, methodology=methodology, now=now)


def _open_acts(status: EligibilityStatus) -> Iterator[str]:
    if status.declaration and status.declaration["accepted_at"] is None:
        yield "accept"
    yield "enrol" if status.state == EligibilityState.STANDARD else "leave"


def _forbidding(request: HttpRequest, account_id: int) -> str:
    """Why whoever asks may not act on this account; empty if they may."""
    if not request.user.has_perm(SCOPE_RISK):
        return "Your role may look at this, not act on it."
    principal = session_principal(request)
    account = account_get(principal=principal, account_id=account_id)
    if not principal.may_write(account.tenant_id):
        return f"You have no grant for tenant {account.tenant.slug}; an administrator gives one."
    return ""
