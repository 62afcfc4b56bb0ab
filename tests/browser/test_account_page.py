"""The account's page in a real Chromium against a real server: what it shows is what the API says."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import BrowserContext, expect
from pytest_django.fixtures import Settings

from accounts.services.tenants import user_create
from margin.choices import RunReason
from margin.models import MarginResult
from margin.services.reports import report_of
from margin.services.runs import run_start
from tests.browser.browsing import ARTIFACTS, Theme, browsing, numbers_shown
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, demo_world
from tests.support.client import TlsClient
from tests.support.console import enter
from tests.support.processes import live_server

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Console:
    """A running console: its origin, a session, the page of an account, and the account's own routes."""

    origin: str
    session: str
    page: str
    api: str
    methodology: str


@pytest.fixture
def console(tmp_path: Path, settings: Settings) -> Iterator[Console]:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", "--noinput", verbosity=0)
    demo_world(12)
    work_through(run_start(reason=RunReason.MANUAL))
    client = TlsClient()
    root = user_create(
        username="root", password="correct horse battery", tenant=None, is_superuser=True, actor=ACTOR
    )
    enter(client, root)
    result = max(MarginResult.objects.order_by("id"), key=lambda item: len(report_of(item)["risk_units"]))
    with live_server(static=tmp_path) as origin:
        yield Console(
            origin=origin,
            session=client.cookies["sessionid"].value,
            page=f"{origin}/admin/margin/marginresult/{result.pk}/change/",
            api=f"{origin}/api/v1/accounts/{result.account_id}",
            methodology=report_of(result)["methodology"],
        )


def _api(context: BrowserContext, url: str) -> Any:
    response = context.request.get(url)
    assert response.ok, response.text()
    return response.json()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_drawn_by_the_server_within_the_policy_and_for_everybody(
    console: Console, theme: Theme, width: int
) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    with browsing(console.origin, console.session, theme=theme, width=width) as (_, watched):
        page = watched.page
        for query in ("", "?methodology=bybit-uta&axis=vol"):
            page.goto(console.page + query)
            name = "what-if" if query else "stored"
            page.screenshot(path=ARTIFACTS / f"account-{name}-{theme}-{width}.png", full_page=True)
            assert page.locator(".pm-needle").count() == 1
            assert page.locator(".pm-bar .pm-shade").count() > 0
            assert all(
                "L" in (line.get_attribute("d") or "") for line in page.locator(".pm-field .pm-line").all()
            )
            assert watched.violations() == []
            assert watched.overflow() <= 0
            assert not (found := watched.grave_findings()), "\n".join(found)
        assert ("dark" in (page.locator("html").get_attribute("class") or "")) == (theme == "dark")
        assert watched.complaints == []


def test_every_charts_data_equal_the_apis_figures(console: Console) -> None:
    with browsing(console.origin, console.session) as (context, watched):
        page = watched.page
        page.goto(console.page)
        curve = _api(context, f"{console.api}/curve")
        page.get_by_text("Table of the curve").click()
        rows = page.get_by_role("region", name="Points of the curve").locator("tbody tr")
        shown = [numbers_shown(row)[1:] for row in rows.all()]
        points = [[point["equity"], point["mmr"], point["margin_ratio"]] for point in curve["points"]]
        assert shown == points[::2]
        marks = page.locator(".pm-mark-name").filter(has_text="L").count()
        assert marks == len(curve["liquidation_moves"])
        cells = [
            value
            for unit in _api(context, f"{console.api}/scenarios").values()
            if unit["scenarios"]
            for row in unit["scenarios"]["pnl"]
            for value in row
        ]
        assert sorted(numbers_shown(page.locator(".pm-heat"))) == sorted(cells)
        explained = _api(context, f"{console.api}/explain")
        counted = [
            item["value"]
            for unit in explained.values()
            for item in unit["components"].values()
            if item["counted"] and item["value"]
        ]
        assert sorted(numbers_shown(page.locator(".pm-bars .pm-legend li")))[-1] == max(counted)
        assert page.locator(".pm-bar .pm-shade").count() == len(counted)
        largest = max(explained.values(), key=lambda unit: unit["mmr"]["value"])
        assert page.locator(".pm-sentence").inner_text() == largest["words"]


def test_another_methodology_is_chosen_shown_as_what_if_and_left_again(console: Console) -> None:
    with browsing(console.origin, console.session) as (context, watched):
        page = watched.page
        compared = _api(context, f"{console.api}/comparison")
        page.goto(console.page)
        assert page.get_by_role("status").count() == 0
        page.get_by_role("link", name="standard", exact=True).click()
        assert "It is not stored" in page.get_by_role("status").inner_text()
        figures = numbers_shown(page.locator(".pm-figures"))
        assert compared["standard"]["mmr"] in figures
        page.get_by_label("against its", exact=True).select_option("vol")
        page.get_by_role("button", name="Draw").click()
        page.wait_for_url("**axis=vol**")
        assert "methodology=standard" in page.url
        assert "pts" in page.locator(".pm-x").inner_text()
        page.get_by_role("link", name="Back to the stored result").click()
        expect(page.get_by_role("status")).to_have_count(0)
        assert compared[console.methodology]["mmr"] in numbers_shown(page.locator(".pm-figures"))
        page.goto(f"{console.page}?methodology=none&coin=NONE")
        assert page.get_by_role("alert").count() == 2
        assert watched.complaints == []
