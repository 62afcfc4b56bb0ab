"""What the console says when it does not do what it was asked: in its own look, with a way on."""

from http import HTTPStatus
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from pmplatform.console.roles import Role
from tests.console.people import person
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db

BRAND = "console/message.css"


def _says(response: Any, status: HTTPStatus, heading: str, way: str = "admin:index") -> str:
    """The page's text, once it is known to be one of the console's own with a way on."""
    text = str(response.content.decode())
    assert response.status_code == status
    assert f"<h1>{heading}</h1>" in text
    assert BRAND in text
    assert f'href="{reverse(way)}"' in text
    assert "Traceback" not in text
    return text


def test_a_page_that_does_not_exist_leads_to_the_overview() -> None:
    _says(TlsClient().get("/nothing-here/"), HTTPStatus.NOT_FOUND, "Nothing here")


def test_the_address_alone_leads_into_the_console() -> None:
    assert TlsClient().get("/")["Location"] == reverse("admin:index")


def test_what_is_somebody_elses_is_said_to_be_nothing_without_its_name() -> None:
    client = enter(TlsClient(), person("omar", Role.RISK_OFFICER))
    text = _says(client.get(reverse("admin:account", args=[7])), HTTPStatus.NOT_FOUND, "Nothing here")
    assert "account" not in text.lower()


def test_what_a_role_may_not_do_is_refused_with_who_could_change_that() -> None:
    client = enter(TlsClient(), person("vera", Role.VIEWER))
    response = client.get(reverse("admin:accounts_user_changelist"))
    assert "An administrator gives roles" in _says(response, HTTPStatus.FORBIDDEN, "Not for your role")


def test_what_makes_no_sense_is_refused_unchanged() -> None:
    client = enter(TlsClient(), person("omar", Role.RISK_OFFICER))
    response = client.post(reverse("admin:liquidation_controls_set"), {"switch": "none"}, format="multipart")
    assert "Nothing was changed" in _says(response, HTTPStatus.BAD_REQUEST, "Not understood")


def test_a_form_without_its_token_is_asked_for_once_more() -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post(reverse("admin:login"), {"username": "vera"}, secure=True)
    text = _says(response, HTTPStatus.FORBIDDEN, "Send it once more")
    assert "Nothing was changed" in text
    assert "Referer" not in text


def test_who_is_locked_out_is_told_for_how_long() -> None:
    person("vera", Role.VIEWER)
    client, entry = TlsClient(), reverse("admin:login")
    for _ in range(settings.AXES_FAILURE_LIMIT):
        response = client.post(entry, {"username": "vera", "password": "wrong"}, format="multipart")
    text = _says(response, HTTPStatus.TOO_MANY_REQUESTS, "Locked out for now", "admin:login")
    assert f"in {settings.AXES_COOLOFF_TIME.total_seconds() / 60:.0f} minutes" in text
    assert "vera" not in text


def test_a_failure_of_the_platform_is_told_without_its_cause_but_with_its_number() -> None:
    client = enter(TlsClient(raise_request_exception=False), person("omar", Role.RISK_OFFICER))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO elsewhere")
    response = client.get("/admin/", headers={"X-Request-ID": "r-17"})
    text = _says(response, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong here")
    assert "<code>r-17</code>" in text
    assert "django_session" not in text
    assert response["Content-Security-Policy"]


def test_the_api_fails_with_a_problem_all_the_same() -> None:
    client = enter(TlsClient(raise_request_exception=False), person("omar", Role.RISK_OFFICER))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_session RENAME TO elsewhere")
    response = client.get("/api/v1/accounts", headers={"X-Request-ID": "r-18"})
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["request_id"]) == (500, "r-18")
    assert "django_session" not in response.content.decode()
