"""The pages that stand without the console's frame, in a real Chromium: for everybody, in both themes."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from pmplatform.console.roles import Role
from tests.browser.browsing import ARTIFACTS, Theme, Watched, browsing
from tests.console.people import person
from tests.support.client import TlsClient
from tests.support.console import enter
from tests.support.processes import live_server

pytestmark = pytest.mark.django_db(transaction=True)

#: Nobody answers here, so that no request can be served.
NO_DATABASE = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}


@pytest.fixture
def static(tmp_path: Path, settings: Settings) -> Path:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", "--noinput", verbosity=0)
    ARTIFACTS.mkdir(exist_ok=True)
    return tmp_path


def _is_sound(watched: Watched, heading: str, artifact: str) -> None:
    expect(watched.page.get_by_role("heading", name=heading)).to_be_visible()
    watched.page.screenshot(path=ARTIFACTS / f"{artifact}.png")
    assert watched.violations() == []
    assert not (found := watched.grave_findings()), "\n".join(found)
    assert watched.overflow() <= 0


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_whoever_is_refused_reads_why_and_finds_a_way_on(static: Path, theme: Theme, width: int) -> None:
    client = enter(TlsClient(), person("vera", Role.VIEWER))
    session = client.cookies["sessionid"].value
    with (
        live_server(static=static) as origin,
        browsing(origin, session, theme=theme, width=width) as (context, watched),
    ):
        page = watched.page
        page.goto(f"{origin}/admin/accounts/user/")
        _is_sound(watched, "Not for your role", f"403-{theme}-{width}")
        page.goto(f"{origin}/nothing-here/")
        _is_sound(watched, "Nothing here", f"404-{theme}-{width}")
        assert ("dark" in (page.locator("html").get_attribute("class") or "")) == (theme == "dark")
        page.get_by_role("link", name="To the overview").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
        context.clear_cookies()
        page.goto(f"{origin}/admin/login/")
        context.clear_cookies(name="csrftoken")
        page.get_by_label("Username").fill("vera")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        _is_sound(watched, "Send it once more", f"csrf-{theme}-{width}")
        for _ in range(settings.AXES_FAILURE_LIMIT):
            page.goto(f"{origin}/admin/login/")
            page.get_by_label("Username").fill("vera")
            page.get_by_label("Password").fill("wrong")
            with page.expect_navigation():
                page.get_by_role("button", name="Log in").click()
        _is_sound(watched, "Locked out for now", f"locked-{theme}-{width}")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_console_without_its_database_still_answers_in_its_own_look(
    static: Path, theme: Theme, width: int
) -> None:
    with (
        live_server(static=static, extra=NO_DATABASE) as origin,
        browsing(origin, "of-an-unknown", theme=theme, width=width) as (_, watched),
    ):
        watched.page.goto(f"{origin}/admin/")
        _is_sound(watched, "Something went wrong here", f"500-{theme}-{width}")
        assert "nobody" not in watched.page.content()
