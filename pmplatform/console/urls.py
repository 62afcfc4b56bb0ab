"""The console's pages that belong to no single model, within the site's own name space."""

from django.urls import path

from pmplatform.console.platform_settings import platform_settings
from pmplatform.console.second_factor import second_factor

urlpatterns = [
    path("second-factor/", second_factor, name="second_factor"),
    path("platform-settings/", platform_settings, name="platform_settings"),
]
