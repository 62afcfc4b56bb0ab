"""Parameters, market and settings in a real Chromium: drawn within the policy for everybody, and acted on."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from margin.choices import RunReason, VersionState
from margin.models import ParameterVersion
from margin.services.impacts import impact_finish, impact_start
from margin.services.publishing import SnapshotDocument, snapshot_publish
from margin.services.runs import run_advance, run_start
from margin.services.versions import version_draft, version_propose
from margin.versions import version_named
from pmplatform.console.roles import Role
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket
from tests.browser.browsing import Theme, browsing
from tests.console.people import person
from tests.margin.proposals import ALICE, document_of
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, SEED, world
from tests.support.client import TlsClient
from tests.support.console import enter
from tests.support.processes import live_server

pytestmark = pytest.mark.django_db(transaction=True)

METHODOLOGY, IN_FORCE = "okx-2025", "2025-01-21"


@dataclass(frozen=True)
class Desk:
    """A running console, somebody's session, and a version that waits for an approval."""

    origin: str
    session: str
    version: int


def proposed() -> ParameterVersion:
    """A version with larger moves, and its impact on a fresh market that has jumped."""
    now = timezone.now()
    market = DemoMarket(SEED, now - timedelta(seconds=5)).document()
    accounts = [account.document for account in demo_accounts(market, 30, SEED)]
    world(market, now - timedelta(seconds=5), accounts)
    jumped = deepcopy(market) | {"fx": {**market["fx"], "USDC": 0.85}}
    snapshot_publish(document=SnapshotDocument(now, jumped), source="tests", actor=ACTOR)
    work_through(run_start(reason=RunReason.MANUAL))
    document = document_of(IN_FORCE, METHODOLOGY)
    document |= {"version": "winter", "effective_from": f"{now.year + 1}-01-01T08:00:00Z", "imr_factor": 1.5}
    draft = version_draft(document=document, actor=ALICE, now=now)
    version = version_propose(version_id=draft.pk, actor=ALICE, now=now)
    base = version_named(methodology=METHODOLOGY, version=IN_FORCE)
    report, _ = impact_start(base=base, proposed=version, actor=ALICE, now=now)
    for run in (report.base_run_id, report.proposed_run_id):
        work_through(run_advance(run_id=run))
    impact_finish(report_id=report.pk, now=now)
    return version


@pytest.fixture
def desk(tmp_path: Path, settings: Settings) -> Iterator[Desk]:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", "--noinput", verbosity=0)
    version, client = proposed(), TlsClient()
    enter(client, person("bob", Role.PARAMETER_APPROVER))
    with live_server(static=tmp_path) as origin:
        yield Desk(origin, client.cookies["sessionid"].value, version.pk)


def test_the_pages_are_drawn_within_the_policy_and_for_everybody(desk: Desk) -> None:
    margin = "/admin/margin"
    pages = (
        f"{margin}/parameterversion/",
        f"{margin}/parameterversion/{desk.version}/change/",
        f"{margin}/marketsnapshot/",
        f"{margin}/marketguardevent/",
        "/admin/platform-settings/",
    )
    windows: tuple[tuple[Theme, int], ...] = (("light", 1280), ("dark", 390))
    for theme, width in windows:
        with browsing(desk.origin, desk.session, theme=theme, width=width) as (_, watched):
            for path in pages:
                watched.page.goto(f"{desk.origin}{path}", wait_until="networkidle")
                assert [*watched.violations(), *watched.grave_findings()] == [], (path, theme)
                assert watched.overflow() <= 0, (path, width)
            assert not watched.complaints


def test_an_approver_reads_the_impact_and_approves_with_a_button(desk: Desk) -> None:
    with browsing(desk.origin, desk.session) as (_, watched):
        page = watched.page
        page.goto(f"{desk.origin}/admin/margin/parameterversion/{desk.version}/change/")
        assert page.get_by_text("imr_factor", exact=True).is_visible()
        bars = page.locator(".pm-meter").evaluate_all("found => found.map(bar => bar.clientWidth)")
        assert bars and max(bars) > 200, "the histogram has columns that can be seen"
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_text("Your approval is recorded.")).to_be_visible()
        assert page.get_by_role("button", name="Approve").count() == 0
        assert page.get_by_role("button", name="Schedule").count() == 1
        page.goto(f"{desk.origin}/admin/margin/marketsnapshot/")
        assert page.get_by_text("fx.USDC jumped from 1 to 0.85").first.is_visible()
        assert not watched.complaints
    version = ParameterVersion.objects.get(pk=desk.version)
    assert (version.state, version.approver) == (VersionState.APPROVED, "user:bob")
