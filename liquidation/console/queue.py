"""The queue: what is happening to whom, and must I act?"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from accounts.authentication import session_principal
from liquidation import selectors
from liquidation.choices import CaseState
from liquidation.models import LiquidationCase
from pmplatform.common.console import Mark, ago, count, marked, money
from pmplatform.common.pages import console_page, page_render

VIEW: Final = "liquidation.view_liquidationcase"
_MARKS: Final = {
    CaseState.WORKING: Mark("warning", "◐"),
    CaseState.AWAITING_APPROVAL: Mark("danger", "◆"),
    CaseState.PAUSED: Mark("warning", "▲"),
    CaseState.ADL_REQUIRED: Mark("danger", "■"),
    CaseState.QUARANTINED: Mark("danger", "■"),
    CaseState.CLOSED: Mark("safe", "●"),
}
#: Those that wait for a person.
_HALTED: Final = (
    CaseState.AWAITING_APPROVAL,
    CaseState.QUARANTINED,
    CaseState.ADL_REQUIRED,
    CaseState.PAUSED,
)
#: So many of a list are shown; the list of all cases pages.
_MOST: Final = 100
_CLOSED: Final = 10


@dataclass(frozen=True, slots=True)
class Tab:
    """A state to choose; ``query`` leads to it."""

    name: str
    query: str
    cases: SafeString
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case: its account, how long it has been open, what is missing, and what comes next or holds it."""

    pk: int
    url: str
    account: str
    account_url: str
    tenant: str
    state: SafeString
    trigger: str
    age: SafeString
    deficit: SafeString
    closed: SafeString
    steps: int
    next: str


@console_page(VIEW)
def page(request: HttpRequest) -> HttpResponse:
    """The whole page; `state` chooses among the live cases."""
    return page_render(request, "liquidation/queue.html", "Liquidation", _context(request))


@console_page(VIEW)
def live(request: HttpRequest) -> HttpResponse:
    """What lives in the page."""
    return render(request, "liquidation/queue/live.html", _context(request))


def state_mark(case: LiquidationCase) -> SafeString:
    """A case's state as word, shape and colour; of a closed one how it ended."""
    words = case.get_outcome_display() if case.outcome else case.get_state_display()
    return marked(str(words), _MARKS[CaseState(case.state)])


def deficit_words(case: LiquidationCase) -> SafeString:
    """What is missing to the threshold, in USD; a case whose account has enough again misses nothing."""
    return money(case.deficit_usd) if case.deficit_usd > 0 else SafeString("none")


def next_words(case: LiquidationCase) -> str:
    """What comes next, or what holds the case; empty for a closed one."""
    match case.state:
        case CaseState.CLOSED:
            return ""
        case CaseState.AWAITING_APPROVAL:
            proposal = case.proposal or {}
            reason = proposal.get("reason") or str(proposal.get("kind", "")).replace("_", " ")
            return f"waits for approval of step {case.steps_done + 1}: {reason}"
        case CaseState.QUARANTINED:
            return case.failure
        case CaseState.ADL_REQUIRED:
            return "the insurance fund cannot bear a takeover"
    return case.blocked or case.failure or f"step {case.steps_done + 1}"


def _context(request: HttpRequest) -> dict[str, Any]:
    chosen = request.GET.get("state", "")
    counts = selectors.cases_by_state()
    cases = selectors.cases_visible(principal=session_principal(request))
    shown = cases.exclude(state=CaseState.CLOSED).order_by("-deficit_usd", "id")
    closed = cases.filter(state=CaseState.CLOSED).order_by("-closed_at")[:_CLOSED]
    if chosen in CaseState.values:
        shown = shown.filter(state=chosen)
    return {
        "tabs": list(_tabs(counts, chosen)),
        "most": _MOST,
        "number": counts[CaseState(chosen)] if chosen in counts else sum(counts.values()),
        "rows": list(map(_row, shown[:_MOST])),
        "closed": list(map(_row, closed)),
        "waiting": sum(counts[state] for state in _HALTED),
        "controls": selectors.controls(),
        "query": urlencode({"state": chosen} if chosen else {}),
    }


def _tabs(counts: dict[CaseState, int], chosen: str) -> Iterator[Tab]:
    yield Tab("All live", "", count(sum(counts.values())), not chosen)
    for state, number in counts.items():
        yield Tab(capfirst(str(state.label)), urlencode({"state": state}), count(number), chosen == state)


def _row(case: LiquidationCase) -> CaseRow:
    return CaseRow(
        pk=case.pk,
        url=reverse("admin:liquidation_case", args=[case.pk]),
        account=case.account.code,
        account_url=reverse("admin:account", args=[case.account_id]),
        tenant=case.account.tenant.slug,
        state=state_mark(case),
        trigger=str(case.get_trigger_display()),
        age=ago(case.opened_at, timezone.now()),
        deficit=deficit_words(case),
        closed=ago(case.closed_at, timezone.now()),
        steps=case.steps_done,
        next=next_words(case),
    )
