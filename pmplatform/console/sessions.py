"""How long a session lasts: at most a working day, and less for powers that nobody seems to be using."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.second_factor import second_factor_needed
from pmplatform.common.pages import REFRESH_HEADER

_ENTERED_AT: Final = "entered_at"
_ACTIVE_AT: Final = "active_at"
#: Written no more often than this, in seconds, since each write is a row.
_GRAIN: Final = 60


def session_limit_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """End every session at `PM_SESSION_AGE`, and, of those who may act, at `PM_SESSION_IDLE` of rest.

    Whoever only looks may leave a screen on until the session's age ends it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _judge(request)
        return get_response(request)

    return middleware


def _judge(request: HttpRequest) -> None:
    now = int(timezone.now().timestamp())
    entered_at = request.session.setdefault(_ENTERED_AT, now)
    idle = now - request.session.setdefault(_ACTIVE_AT, now)
    if now - entered_at > settings.PM_SESSION_AGE.total_seconds() or _is_deserted(request, idle):
        logout(request)
    elif idle > _GRAIN and REFRESH_HEADER not in request.headers:
        request.session[_ACTIVE_AT] = now


def _is_deserted(request: HttpRequest, idle: int) -> bool:
    return idle > settings.PM_SESSION_IDLE.total_seconds() and second_factor_needed(request.user)
