"""What people do with the console, in a real Chromium against a real server."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_otp.oath import totp
from playwright.sync_api import expect

from liquidation.choices import CaseState
from liquidation.selectors import case_live, controls
from liquidation.services.cases import case_open
from liquidation.services.controls import controls_set
from margin.choices import MarginStatus, VersionState
from margin.models import ParameterVersion
from margin.selectors import result_latest
from margin.services.impacts import impact_finish
from margin.services.runs import run_advance
from margin.versions import impacts_of
from pmplatform.common.models import AuditRow
from pmplatform.console.roles import Role
from tests.browser.browsing import ARTIFACTS, Watched, browsing
from tests.browser.stage import Stage, authenticator, work_cases
from tests.console.people import ACTOR, PASSWORD
from tests.margin.test_runs import work_through

pytestmark = pytest.mark.django_db(transaction=True)


def _is_sound(watched: Watched) -> None:
    assert watched.violations() == []
    assert watched.complaints == []
    assert not (found := watched.grave_findings()), "\n".join(found)
    assert watched.overflow() <= 0


def _log_in(watched: Watched, stage: Stage, name: str, key: bytes) -> None:
    page = watched.page
    page.goto(f"{stage.origin}/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Code of your authenticator").fill(f"{totp(key):06d}")
    page.screenshot(path=ARTIFACTS / "story-second-factor.png")
    _is_sound(watched)
    page.get_by_role("button", name="Enter").click()
    page.get_by_role("heading", name="Closest to liquidation").wait_for()


def test_an_officer_finds_the_worst_account_reads_why_tries_a_transfer_and_plans_its_liquidation(
    stage: Stage,
) -> None:
    key = authenticator(stage.admit("omar", Role.RISK_OFFICER)).bin_key
    result = result_latest(stage.distressed.pk)
    assert result is not None and result.status == MarginStatus.LIQUIDATION
    with browsing(stage.origin, "") as (_, watched):
        page = watched.page
        _log_in(watched, stage, "omar", key)
        _is_sound(watched)
        page.keyboard.press("?")
        page.get_by_role("dialog", name="Keys").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("region", name="Closest to liquidation").get_by_role("link").first.click()
        page.get_by_role("heading", name=stage.distressed.code).wait_for()
        assert "required" in page.locator(".pm-sentence").first.inner_text()
        figure = page.locator(".pm-figure", has_text="MMR, USD").get_by_role("button")
        figure.focus()
        expect(page.get_by_role("tooltip").filter(has_text="MMR, USD is made of")).to_be_visible()
        page.get_by_label("Transfer of").fill("USDT")
        page.get_by_label("Amount, signed").fill("1000000")
        page.get_by_role("button", name="Try it").click()
        after = page.get_by_role("region", name="Account before and after").locator("thead")
        after.wait_for()
        assert "Before: ■ Liquidation" in after.inner_text()
        page.get_by_role("button", name="Plan its liquidation").click()
        page.get_by_role("button", name="Plan again").wait_for()
        assert page.locator(".pm-timeline > li").count() > 0
        page.screenshot(path=ARTIFACTS / "story-account.png", full_page=True)
        _is_sound(watched)


def test_an_officer_approves_a_step_and_flips_the_kill_switch(stage: Stage) -> None:
    stage.admit("omar", Role.RISK_OFFICER)
    controls_set(actor=ACTOR, reason="drill", now=timezone.now(), approve_mode=True)
    case_open(account_id=stage.distressed.pk, evidence={}, now=timezone.now())
    work_cases()
    with browsing(stage.origin, stage.sessions["omar"]) as (_, watched):
        page = watched.page
        page.goto(f"{stage.origin}/admin/liquidation/queue/")
        assert "waits for a person" in page.get_by_role("status").inner_text()
        page.get_by_role("region", name="Live cases").get_by_role("rowheader").get_by_role("link").click()
        page.locator("#pm-reason-approve").fill("as planned")
        page.get_by_role("button", name="Approve step 1").click()
        page.get_by_text("The step is approved").wait_for()
        _is_sound(watched)
    case = case_live(stage.distressed.pk)
    assert case is not None and (case.state, case.approved_step) == (CaseState.WORKING, 1)
    work_cases()
    case.refresh_from_db()
    assert case.steps_done == 1
    assert AuditRow.objects.get(action="liquidation_case.approve").actor == "user:omar"
    with browsing(stage.origin, stage.sessions["omar"]) as (_, watched):
        page = watched.page
        page.goto(f"{stage.origin}/admin/liquidation/case/{case.pk}/")
        assert page.locator(".pm-timeline > li").count() == 1
        page.screenshot(path=ARTIFACTS / "story-case.png", full_page=True)
        page.goto(f"{stage.origin}/admin/liquidation/controls/")
        page.locator("#pm-kill_switch-reason").fill("venue in doubt")
        page.get_by_role("button", name="Turn the kill switch on").click()
        page.get_by_role("button", name="Turn the kill switch off").wait_for()
        _is_sound(watched)
    assert controls().kill_switch


def test_one_person_proposes_a_change_of_parameters_and_another_approves_it(stage: Stage) -> None:
    stage.admit("alice", Role.PARAMETER_PROPOSER, Role.PARAMETER_APPROVER)
    stage.admit("bob", Role.PARAMETER_APPROVER)
    ahead = f"{timezone.now() + timedelta(days=7):%Y-%m-%dT%H:%M}"
    with browsing(stage.origin, stage.sessions["alice"]) as (_, watched):
        page = watched.page
        page.goto(f"{stage.origin}/admin/margin/parameterversion/")
        page.get_by_role("link", name="Draft from it: okx-2025").click()
        page.get_by_label("Name of the version").fill("story")
        page.get_by_label("In force from, UTC").fill(ahead)
        page.get_by_label("Source").fill("decision 12")
        values = page.get_by_label("Values of okx-2025")
        right = values.input_value()
        values.fill(right.replace('"imr_factor": 1.3', '"imr_factor": "much"'))
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("alert")).to_contain_text("imr_factor must be a decimal number")
        page.get_by_role("button", name="line").click()
        chosen = page.evaluate("getSelection().toString()")
        assert chosen.strip() == '"imr_factor": "much",'
        _is_sound(watched)
        values.fill(right.replace('"imr_factor": 1.3', '"imr_factor": 1.4'))
        page.get_by_role("button", name="Check").click()
        expect(page.get_by_role("status").get_by_role("row", name="imr_factor")).to_contain_text("+7.69 %")
        page.screenshot(path=ARTIFACTS / "story-draft.png", full_page=True)
        _is_sound(watched)
        page.get_by_role("button", name="Save the draft").click()
        expect(page.get_by_text("The draft is stored")).to_be_visible()
        url = page.url
        with watched.page.expect_navigation():
            watched.page.get_by_role("button", name="Propose").click()
        impact = watched.page.get_by_role("button", name="impact")
        with watched.page.expect_navigation():
            impact.click()
        assert watched.page.get_by_role("button", name="Approve").count() == 0
        _is_sound(watched)
    version = ParameterVersion.objects.get(version="story")
    report = impacts_of(version).get()
    for run in (report.base_run_id, report.proposed_run_id):
        work_through(run_advance(run_id=run))
    impact_finish(report_id=report.pk, now=timezone.now())
    with browsing(stage.origin, stage.sessions["bob"]) as (_, watched):
        watched.page.goto(url)
        watched.page.screenshot(path=ARTIFACTS / "story-version.png", full_page=True)
        with watched.page.expect_navigation():
            watched.page.get_by_role("button", name="Approve").click()
        _is_sound(watched)
    version.refresh_from_db()
    assert version.state in (VersionState.APPROVED, VersionState.SCHEDULED)
    assert (version.proposer, version.approver) == ("user:alice", "user:bob")
