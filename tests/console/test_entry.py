"""The way into the console: password, second factor, lock-out, and how a session ends."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from pmplatform.common.models import AuditRow
from pmplatform.console.roles import Role
from tests.console.people import PASSWORD, person
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def _log_in(client: TlsClient, name: str, password: str = PASSWORD) -> int:
    response = client.post(
        reverse("admin:login"), {"username": name, "password": password}, format="multipart"
    )
    return int(response.status_code)


def _enter_code(client: TlsClient, code: object) -> object:
    return client.post(f"{reverse('admin:second_factor')}?next=/admin/", {"code": code}, format="multipart")


def test_a_viewer_comes_in_by_password_alone() -> None:
    person("vera", Role.VIEWER)
    client = TlsClient()
    assert _log_in(client, "vera") == HTTPStatus.FOUND
    assert client.get(OVERVIEW).status_code == HTTPStatus.OK


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VIEWER])
def test_every_other_role_is_sent_to_its_second_factor(role: Role) -> None:
    person("omar", role)
    client = TlsClient()
    _log_in(client, "omar")
    response = client.get(OVERVIEW, follow=True)
    assert response.redirect_chain[-1][0].startswith(reverse("admin:second_factor"))
    assert client.get("/api/v1/accounts").status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.time_machine(NOW)
def test_the_first_entry_takes_on_an_authenticator_and_the_next_asks_for_it(
    time_machine: time_machine.TimeMachineFixture,
) -> None:
    user = person("omar", Role.RISK_OFFICER)
    client = TlsClient()
    _log_in(client, "omar")
    page = client.get(reverse("admin:second_factor"))
    device = TOTPDevice.objects.get(user=user)
    secret = parse_qs(urlsplit(device.config_url).query)["secret"][0]
    assert secret in page.content.decode().replace(" ", "")
    assert "<svg" in page.content.decode()
    assert _enter_code(client, f"{totp(device.bin_key):06d}").status_code == HTTPStatus.FOUND  # type: ignore[attr-defined]
    assert client.get(OVERVIEW).status_code == HTTPStatus.OK
    assert AuditRow.objects.filter(action="second_factor.confirm", object_id=str(user.pk)).count() == 1

    time_machine.shift(60)
    another = TlsClient()
    _log_in(another, "omar")
    assert secret not in another.get(reverse("admin:second_factor")).content.decode().replace(" ", "")
    assert _enter_code(another, f"{totp(device.bin_key):06d}").status_code == HTTPStatus.FOUND  # type: ignore[attr-defined]
    assert another.get(OVERVIEW).status_code == HTTPStatus.OK


@pytest.mark.time_machine(NOW)
def test_a_wrong_code_is_refused_and_makes_the_next_wait() -> None:
    user = person("omar", Role.RISK_OFFICER)
    device = TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True)
    client = TlsClient()
    _log_in(client, "omar")
    right = totp(device.bin_key)
    assert "This code is wrong" in _enter_code(client, f"{(right + 1) % 1_000_000:06d}").content.decode()  # type: ignore[attr-defined]
    assert "Too many wrong codes" in _enter_code(client, f"{right:06d}").content.decode()  # type: ignore[attr-defined]
    assert client.get(OVERVIEW).status_code == HTTPStatus.FOUND


def test_a_code_leads_to_no_other_host() -> None:
    user = person("omar", Role.RISK_OFFICER)
    device = TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True)
    client = TlsClient()
    _log_in(client, "omar")
    url = f"{reverse('admin:second_factor')}?next=https://example.org/"
    response = client.post(url, {"code": f"{totp(device.bin_key):06d}"}, format="multipart")
    assert response["Location"] == OVERVIEW


def test_five_wrong_passwords_lock_the_name_out_for_that_address_alone() -> None:
    person("vera", Role.VIEWER)
    client = TlsClient()
    answers = [_log_in(client, "vera", "wrong") for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert answers[-1] == HTTPStatus.TOO_MANY_REQUESTS
    assert _log_in(client, "vera") == HTTPStatus.TOO_MANY_REQUESTS
    assert _log_in(TlsClient(REMOTE_ADDR="192.0.2.7"), "vera") == HTTPStatus.FOUND


@pytest.mark.parametrize(
    ("role", "refreshes", "survives"),
    [
        (Role.RISK_OFFICER, False, False),
        (Role.RISK_OFFICER, True, False),
        (Role.VIEWER, True, True),
    ],
)
def test_powers_that_nobody_uses_end_while_a_watched_screen_stays(
    role: Role, refreshes: bool, survives: bool
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = enter(TlsClient(), person("pat", role))
        assert client.get(OVERVIEW).status_code == HTTPStatus.OK
        half = settings.PM_SESSION_IDLE / 2 + timedelta(seconds=1)
        clock.shift(half)
        if refreshes:
            client.get(OVERVIEW, headers={"X-Refresh": "1"})
        clock.shift(half)
        assert (client.get(OVERVIEW).status_code == HTTPStatus.OK) == survives


def test_whoever_uses_the_console_stays_until_the_sessions_age_ends_it() -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        client = enter(TlsClient(), person("omar", Role.RISK_OFFICER))
        assert client.get(OVERVIEW).status_code == HTTPStatus.OK
        steps = int(settings.PM_SESSION_AGE / timedelta(minutes=50))
        for _ in range(steps):
            clock.shift(timedelta(minutes=50))
            assert client.get(OVERVIEW).status_code == HTTPStatus.OK
        clock.shift(timedelta(minutes=50))
        assert client.get(OVERVIEW).status_code == HTTPStatus.FOUND
