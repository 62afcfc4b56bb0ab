"""The limits of the platform as this process has them, for whoever may look at what they limit."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.retirements import retirements
from pmplatform import tunables
from pmplatform.common.pages import console_page, page_render


@console_page("margin.view_marketsnapshot")
def platform_settings(request: HttpRequest) -> HttpResponse:
    """Every limit with its value, default and meaning; they are set in the environment, never here."""
    context = {"tunables": tunables.ALL, "retirements": retirements(), "trades_at": settings.PM_EXECUTION_URL}
    return page_render(request, "console/platform_settings.html", "Platform settings", context)
