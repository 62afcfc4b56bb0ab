"""Every route: the console, the API by app, and the API's schema with its browsable documentation."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from pmplatform.demo.login import login_once

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    # Before accounts: where the writes of a route need margin figures, margin serves all of it.
    path("api/v1/", include("margin.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1/", include("liquidation.urls")),
    path("api/v1/", include("pmplatform.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
]

if settings.PM_DEMO:
    urlpatterns += [path("demo/login/<str:token>", login_once, name="demo-login")]

handler400 = "pmplatform.common.problems.handler400"
handler403 = "pmplatform.common.problems.handler403"
handler404 = "pmplatform.common.problems.handler404"
handler500 = "pmplatform.common.problems.handler500"
