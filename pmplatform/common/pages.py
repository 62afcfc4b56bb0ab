"""The frame of the console's own pages: who may see one, how it is drawn, what its forms come back with."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from pmplatform.common.errors import PlatformError, ValidationFailed

View = Callable[..., HttpResponse]
#: A page that refreshes itself says so, and keeps no session alive.
REFRESH_HEADER = "X-Refresh"


def console_page(permission: str) -> Callable[[View], View]:
    """A page for staff with a permission; others are told so, and who has not come in is asked to.

    What renews itself in a page whose session has ended gets no form of a login, but the order to reload.
    """

    def decorate(view: View) -> View:
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        entered: View = admin.site.admin_view(guarded)

        @never_cache
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if REFRESH_HEADER in request.headers and not admin.site.has_permission(request):
                return HttpResponse(status=204, headers={"HX-Refresh": "true"})
            return entered(request, *args, **kwargs)

        return page

    return decorate


def page_render(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    """A whole page within the console's frame."""
    return render(request, template, {**admin.site.each_context(request), "title": title, **context})


def attempt(request: HttpRequest, done: str, act: Callable[[], object]) -> None:
    """Do what a form asks for and say that it is done, or why it is refused."""
    try:
        act()
    except ValidationFailed as refusal:
        messages.error(request, "; ".join(f"{fault.path} {fault.message}" for fault in refusal.errors))
    except PlatformError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
