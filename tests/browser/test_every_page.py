"""Every page of the console, in both themes and widths: sound, and kept as a picture."""

import pytest
from django.utils import timezone

from liquidation.services.cases import case_open
from margin.models import MarginRun, ParameterVersion
from pmplatform.console.roles import Role
from tests.browser.browsing import ARTIFACTS, Theme, browsing
from tests.browser.stage import Stage, work_cases

pytestmark = pytest.mark.django_db(transaction=True)


def _pages(stage: Stage, case: int) -> dict[str, str]:
    run, version = MarginRun.objects.latest("id"), ParameterVersion.objects.latest("id")
    return {
        "overview": "",
        "account": f"account/{stage.distressed.pk}/",
        "plan": f"account/{stage.distressed.pk}/plan/",
        "queue": "liquidation/queue/",
        "case": f"liquidation/case/{case}/",
        "controls": "liquidation/controls/",
        "accounts": "margin/marginresult/",
        "runs": "margin/marginrun/",
        "run": f"margin/marginrun/{run.pk}/change/",
        "versions": "margin/parameterversion/",
        "version": f"margin/parameterversion/{version.pk}/change/",
        "draft": f"margin/parameterversion/{version.pk}/draft/",
    }


def test_every_page_is_sound_in_both_themes_and_widths(stage: Stage) -> None:
    stage.admit("olga", Role.RISK_OFFICER, Role.PARAMETER_PROPOSER)
    case = case_open(account_id=stage.distressed.pk, evidence={}, now=timezone.now())
    assert case is not None
    work_cases()
    pages, faults = _pages(stage, case.pk), []
    ARTIFACTS.mkdir(exist_ok=True)
    variants: list[tuple[Theme, int]] = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]
    for theme, width in variants:
        with browsing(stage.origin, stage.sessions["olga"], theme=theme, width=width) as (_, watched):
            for name, path in pages.items():
                watched.page.goto(f"{stage.origin}/admin/{path}")
                watched.page.screenshot(path=ARTIFACTS / f"{name}-{theme}-{width}.png", full_page=True)
                found = [*watched.violations(), *watched.complaints]
                found += watched.grave_findings() if width == 1280 else []
                found += ["wider than the window"] if watched.overflow() > 0 else []
                faults += [f"{name} {theme} {width}: {fault}" for fault in found]
                watched.complaints.clear()
    assert not faults, "\n".join(faults)
