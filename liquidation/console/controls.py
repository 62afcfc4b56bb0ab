"""The controls of the whole platform: kill switch, approve mode, risk states."""

from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.selectors import book_names
from liquidation import selectors
from liquidation.choices import CaseState
from liquidation.console.case import OPERATE
from liquidation.services.controls import controls_set
from margin.choices import RiskMode
from margin.risk_states import EVERYWHERE, risk_states
from margin.services.risk_states import risk_state_set
from pmplatform.common.admin import admin_actor
from pmplatform.common.console import Mark, ago, marked
from pmplatform.common.pages import attempt, console_page, page_render

VIEW: Final = "liquidation.view_liquidationcontrols"
SCOPE_RISK: Final = "accounts.scope_risk"
_KILL_SWITCH, _APPROVE_MODE = "kill_switch", "approve_mode"
MODE_MARKS: Final = {
    RiskMode.ENABLED: Mark("safe", "●"),
    RiskMode.REDUCE_ONLY: Mark("warning", "▲"),
    RiskMode.HOLD: Mark("warning", "◆"),
    RiskMode.HALT: Mark("danger", "■"),
}
_MEANING: Final = {
    RiskMode.ENABLED: "everything may be done",
    RiskMode.REDUCE_ONLY: "no new risk; liquidation goes on",
    RiskMode.HOLD: "no new risk and no liquidation",
    RiskMode.HALT: "nothing at all",
}


@dataclass(frozen=True, slots=True)
class ModeRow:
    name: str
    mode: SafeString
    meaning: str
    reason: str
    by: str
    since: SafeString


@console_page(VIEW)
def page(request: HttpRequest) -> HttpResponse:
    """The switches with what turning each will do, to how many."""
    counts = selectors.cases_by_state()
    context: dict[str, Any] = {
        "controls": selectors.controls(),
        "live": sum(counts.values()),
        "working": counts[CaseState.WORKING],
        "awaiting": counts[CaseState.AWAITING_APPROVAL],
        "may_switch": request.user.has_perm(OPERATE),
        "may_set_modes": request.user.has_perm(SCOPE_RISK),
        "modes": list(map(_mode_row, risk_states())),
        "choices": [(mode.value, f"{mode.label}: {_MEANING[mode]}") for mode in RiskMode],
        "underlyings": book_names()[0],
    }
    return page_render(request, "liquidation/controls.html", "Controls", context)


@require_POST
@console_page(OPERATE)
def switch(request: HttpRequest) -> HttpResponse:
    """Turn one of the switches, for a reason."""
    name, to = request.POST.get("switch", ""), request.POST.get("to") == "on"
    if name not in (_KILL_SWITCH, _APPROVE_MODE):
        raise BadRequest("There is no such switch.")
    done = f"{'Kill switch' if name == _KILL_SWITCH else 'Approve mode'} is {'on' if to else 'off'}."
    attempt(
        request,
        done,
        lambda: controls_set(
            actor=admin_actor(request),
            reason=request.POST.get("reason", ""),
            now=timezone.now(),
            kill_switch=to if name == _KILL_SWITCH else None,
            approve_mode=to if name == _APPROVE_MODE else None,
        ),
    )
    return redirect("admin:liquidation_controls")


@require_POST
@console_page(SCOPE_RISK)
def mode(request: HttpRequest) -> HttpResponse:
    """Set a risk state, for a reason."""
    underlying, word = request.POST.get("underlying", ""), request.POST.get("mode", "")
    if word not in RiskMode.values:
        raise BadRequest("There is no such mode.")
    attempt(
        request,
        f"{underlying or 'The platform'} is in {word.replace('_', ' ')}.",
        lambda: risk_state_set(
            underlying=underlying,
            mode=RiskMode(word),
            reason=request.POST.get("reason", ""),
            actor=admin_actor(request),
            now=timezone.now(),
        ),
    )
    return redirect("admin:liquidation_controls")


def _mode_row(state: Any) -> ModeRow:
    known = RiskMode(state.mode)
    return ModeRow(
        name="Platform" if state.underlying == EVERYWHERE else state.underlying,
        mode=marked(str(known.label), MODE_MARKS[known]),
        meaning=_MEANING[known],
        reason=state.reason,
        by=state.changed_by,
        since=ago(state.changed_at, timezone.now()),
    )
