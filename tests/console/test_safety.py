"""How the console keeps a browser safe, as a server behind TLS answers it."""

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import RequestFactory
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Tenant, User
from tests.console.people import person
from tests.support.processes import live_server

#: What people manage by form: who may come in, and what they may do. All else is changed by services.
BY_FORM = {Tenant, User, Group, TOTPDevice}


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[str]:
    """A server behind a proxy that ends TLS."""
    with live_server(extra={"PM_PLAIN_HTTP": "", "PM_BEHIND_PROXY": "1"}) as url:
        yield urlsplit(url).netloc


def get(server: str, scheme: str) -> HTTPResponse:
    with closing(HTTPConnection(server, timeout=60)) as client:
        client.request("GET", "/admin/login/", headers={"X-Forwarded-Proto": scheme})
        answer = client.getresponse()
        answer.read()
    return answer


@pytest.mark.django_db(transaction=True)
def test_a_browser_is_held_to_tls_with_cookies_that_scripts_and_others_do_not_get(server: str) -> None:
    plain, safe = get(server, "http"), get(server, "https")
    assert (plain.status, plain.headers["Location"]) == (301, f"https://{server}/admin/login/")
    assert safe.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert safe.headers["X-Frame-Options"] == "DENY"
    assert safe.headers["X-Content-Type-Options"] == "nosniff"
    assert safe.headers["Referrer-Policy"] == "same-origin"
    cookies = safe.headers.get_all("Set-Cookie") or []
    assert cookies
    assert all("Secure" in cookie and "SameSite=Lax" in cookie for cookie in cookies)


@pytest.mark.django_db
def test_whatever_carries_risk_is_read_only_even_for_who_may_do_all() -> None:
    request = RequestFactory().get("/admin/")
    request.user = person("root", is_superuser=True)
    for model, shown in admin.site._registry.items():
        may = shown.has_add_permission(request) or shown.has_change_permission(request)
        assert model in BY_FORM or not may, model
        assert model is TOTPDevice or not shown.has_delete_permission(request), model
    assert admin.site._registry.keys() >= BY_FORM
