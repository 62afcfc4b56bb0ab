"""The console's site: who may enter, and the pages that belong to no single model."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLResolver, include, path, reverse
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite

from accounts.second_factor import second_factor_missing


class ConsoleSite(UnfoldAdminSite):
    """Django's admin with a second factor before it and the overview in front."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff, who have shown their second factor if they may do more than look."""
        return super().has_permission(request) and not second_factor_missing(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The password first; who needs a second factor is asked for it next."""
        if super().has_permission(request) and second_factor_missing(request.user):
            query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
            return redirect(f"{reverse('admin:second_factor')}?{query}")
        response: HttpResponse = super().login(request, extra_context)
        return response

    def extra_urls(self) -> list[URLResolver]:
        """Named, not imported: the pages are built of admin classes, which need this site first."""
        return [path("", include("pmplatform.console.urls"))]
