"""The overview in a real Chromium against a real server: tiles, tables and chart are what the API says."""

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from pmplatform.console.overview import EDGES
from pmplatform.console.roles import Role
from tests.browser.browsing import browsing, numbers_shown
from tests.browser.stage import Stage

pytestmark = pytest.mark.django_db(transaction=True)

#: Stored money has eight decimals, rounded to the safe side; a report has the float64 it came from.
CENTS = 1e-6
STATUSES = ("Normal", "Warning", "Repay", "Liquidation")
_HEIGHTS = """found => found.map(column => [...column.querySelectorAll(".pm-piece")]
  .reduce((sum, piece) => sum + piece.getBoundingClientRect().height, 0))"""


def _reports(context: BrowserContext, origin: str) -> dict[str, Any]:
    """The margin report of every account, by code, page by page over the API."""
    reports, url = {}, f"{origin}/api/v1/accounts?limit=5"
    while url:
        answer = context.request.get(url).json()
        for account in answer["results"]:
            reported = context.request.get(f"{origin}/api/v1/accounts/{account['id']}/margin")
            assert reported.ok, reported.text()
            reports[account["code"]] = reported.json()
        url = answer["next"]
    return reports


def _shows_the_totals(page: Page, accounts: list[Any]) -> None:
    def tile(name: str) -> list[float]:
        return numbers_shown(page.locator(".pm-tiles > div").filter(has=page.locator("dt", has_text=name)))

    assert tile("Accounts") == [len(accounts)]
    for name, field in (("Net equity, USD", "net_equity"), ("MMR, USD", "mmr")):
        assert tile(name) == pytest.approx([sum(row[field] for row in accounts)], abs=CENTS)
    for name in STATUSES:
        mine = [row["net_equity"] for row in accounts if row["status"] == name.lower()]
        assert tile(name) == pytest.approx([len(mine), sum(mine)], abs=CENTS)


def _shows_the_worst(page: Page, reports: dict[str, Any]) -> None:
    rows = page.get_by_role("region", name="Closest to liquidation").locator("tbody tr").all()
    measured = [code for code, report in reports.items() if report["account"]["margin_ratio"] is not None]
    worst = sorted(measured, key=lambda code: float(reports[code]["account"]["margin_ratio"]))[:10]
    assert [row.get_by_role("rowheader").inner_text() for row in rows] == worst
    for row, code in zip(rows, worst, strict=True):
        account = reports[code]["account"]
        ratio, change, equity, mmr = numbers_shown(row)
        assert (ratio, change) == (account["margin_ratio"], 0.0)
        assert [equity, mmr] == pytest.approx([account["adjusted_equity"], account["mmr"]], abs=CENTS)


def _draws_the_distribution(page: Page, accounts: list[Any]) -> None:
    measured = [row for row in accounts if row["margin_ratio"] is not None]
    bins = [
        Counter(row["status"] for row in measured if low <= row["margin_ratio"] < high)
        for low, high in pairwise([0.0, *EDGES, float("inf")])
    ]
    totals = [within.total() for within in bins]
    assert [int(text) for text in page.locator(".pm-column-value").all_inner_texts()] == totals
    heights = page.locator(".pm-column").evaluate_all(_HEIGHTS)
    per_account = max(heights) / max(totals)
    assert heights == pytest.approx([per_account * total for total in totals], abs=4.0)
    page.get_by_text("Table of the distribution").click()
    table = page.get_by_role("region", name="Accounts by margin ratio and status").locator("tbody tr")
    shown = [[int(text) for text in row.locator("td").all_inner_texts()] for row in table.all()]
    statuses = [name.lower() for name in reversed(STATUSES)]
    assert shown == [[*(within[name] for name in statuses), within.total()] for within in bins]


def _shows_the_exposure(page: Page, reports: dict[str, Any]) -> None:
    units = defaultdict(list)
    for report in reports.values():
        for unit in report["risk_units"]:
            units[unit["unit"]].append(unit)
    rows = page.get_by_role("region", name="Exposure by risk unit").locator("tbody tr")
    assert rows.count() == len(units)
    for row in rows.all():
        mine = units[row.get_by_role("rowheader").inner_text()]
        sums = [sum(unit[name] for unit in mine) for name in ("mmr", "imr", "delta", "cash_delta")]
        assert numbers_shown(row) == pytest.approx([len(mine), *sums], rel=1e-9, abs=CENTS)


def test_everything_the_overview_shows_is_what_the_api_says(stage: Stage) -> None:
    stage.admit("omar", Role.RISK_OFFICER)
    with browsing(stage.origin, stage.sessions["omar"]) as (context, watched):
        reports = _reports(context, stage.origin)
        accounts = [report["account"] for report in reports.values()]
        assert len(accounts) == 12
        watched.page.goto(f"{stage.origin}/admin/")
        _shows_the_totals(watched.page, accounts)
        _shows_the_worst(watched.page, reports)
        _draws_the_distribution(watched.page, accounts)
        _shows_the_exposure(watched.page, reports)
        assert watched.complaints == []
