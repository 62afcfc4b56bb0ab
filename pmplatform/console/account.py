"""An account: why is the margin this, what would change it, and what would happen next?"""

from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.authentication import session_principal
from accounts.console.holdings import Holdings, account_holdings
from accounts.models import Account
from accounts.selectors import account_get
from liquidation import selectors as liquidations
from liquidation.console.plan import plan_view
from liquidation.models import LiquidationCase
from margin import overview, selectors
from margin.console.account import AccountPage, account_page
from margin.console.eligibility import enrolment_view
from margin.console.history import HistoryView, history_view
from margin.console.report import Figure, standard_figures
from margin.console.what_if import WhatIfForm, what_if_view
from margin.market_states import market_state
from margin.models import MarginResult
from pmplatform.common.errors import NotFound
from pmplatform.common.pages import console_page, page_render
from pmplatform.console.overview import VIEW_PERMISSION

_HISTORY: Final = 200


@dataclass(frozen=True)
class Shown:
    """Everything of the page; without a result there are only the holdings."""

    account: Account
    result: MarginResult | None
    margin: AccountPage | None
    beside: tuple[Figure, ...]
    history: HistoryView | None
    holdings: Holdings
    case: LiquidationCase | None
    stale: tuple[str, ...]


@console_page(VIEW_PERMISSION)
def page(request: HttpRequest, account_id: int) -> HttpResponse:
    """The newest figures of an account, and why they are so."""
    shown = _shown(_account(request, account_id), request)
    context: dict[str, Any] = {
        "shown": shown,
        "original": shown.result,
        "account": shown.margin,
        "page": shown.margin.result if shown.margin else None,
        "beside": shown.beside,
        "form": WhatIfForm(),
    }
    return page_render(request, "console/account.html", shown.account.code, context)


@console_page(VIEW_PERMISSION)
def what_if(request: HttpRequest, account_id: int) -> HttpResponse:
    """What trades, a transfer or a move of the market would make of it: in the page, or as one of its own."""
    account = _account(request, account_id)
    view = what_if_view(account_id=account.pk, query=request.GET.dict())
    context = {"what_if": view, "form": view.form}
    return _part(request, account, "What if", "margin/account/what_if.html", context)


@console_page(VIEW_PERMISSION)
def plan(request: HttpRequest, account_id: int) -> HttpResponse:
    """A dry run of its liquidation: in the page, or as one of its own."""
    account = _account(request, account_id)
    view = plan_view(account_id=account.pk)
    return _part(request, account, "Dry run", "liquidation/plan.html", {"plan": view})


@console_page(VIEW_PERMISSION)
def enrolment(request: HttpRequest, account_id: int) -> HttpResponse:
    """Its portfolio margin, and what would refuse it: in the page, or as one of its own."""
    account = _account(request, account_id)
    view = enrolment_view(request=request, account_id=account.pk, now=timezone.now())
    return _part(request, account, "Portfolio margin", "margin/account/enrolment.html", {"enrolment": view})


def _part(
    request: HttpRequest, account: Account, title: str, template: str, context: dict[str, Any]
) -> HttpResponse:
    context = {**context, "subject": account}
    if "HX-Request" in request.headers:
        return render(request, template, context)
    return page_render(
        request, "console/part.html", f"{title}: {account.code}", {**context, "part": template}
    )


def _account(request: HttpRequest, account_id: int) -> Account:
    try:
        return account_get(principal=session_principal(request), account_id=account_id)
    except NotFound as missing:
        raise Http404(str(missing)) from missing


def _shown(account: Account, request: HttpRequest) -> Shown:
    result, now = selectors.result_latest(account.pk), timezone.now()
    market = market_state(now)
    if result is not None:
        result.account = account
    return Shown(
        account=account,
        result=result,
        margin=account_page(result, request.GET.dict()) if result else None,
        beside=standard_figures(result) if result else (),
        history=history_view(overview.ratio_history(account.pk, _HISTORY)),
        holdings=account_holdings(account=account, now=now),
        case=liquidations.case_live(account.pk),
        stale=market.reasons if market else (),
    )
