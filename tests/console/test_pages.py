"""The console's pages over a book that was really margined: what they say, to whom, at what cost."""

import csv
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Account
from liquidation.selectors import controls
from margin import overview
from margin.choices import MarginStatus, RiskMode, RunReason
from margin.engine.what_if import what_if_of
from margin.models import MarginResult, RiskState
from margin.selectors import results_latest
from margin.services.books import stored_book
from margin.services.runs import run_start
from pmplatform.common.console import count, money, percent
from pmplatform.common.models import AuditRow
from pmplatform.console.overview import EDGES
from pmplatform.console.roles import Role
from tests.console.people import person
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db(transaction=True)

MOST_QUERIES = 20
OFFICER = "omar"


@pytest.fixture
def officer() -> TlsClient:
    demo_world(12)
    work_through(run_start(reason=RunReason.MANUAL))
    work_through(run_start(reason=RunReason.MANUAL))
    return enter(TlsClient(), person(OFFICER, Role.RISK_OFFICER))


def _page(client: TlsClient, url: str) -> str:
    response = client.get(url)
    assert response.status_code == HTTPStatus.OK, url
    return str(response.content.decode())


def _pages() -> Iterator[str]:
    """Every page of the console that a risk officer has."""
    result = MarginResult.objects.latest("id")
    yield reverse("admin:index")
    yield reverse("admin:overview_live")
    yield reverse("admin:account", args=[result.account_id])
    yield reverse("admin:account_plan", args=[result.account_id])
    yield reverse("admin:account_what_if", args=[result.account_id]) + "?coin=BTC&move=-10"
    yield reverse("admin:liquidation_queue")
    yield reverse("admin:liquidation_controls")
    yield reverse("admin:margin_marginrun_change", args=[result.run_id])
    for app, models in {
        "margin": ("marginresult", "marginrun", "marketsnapshot", "parameterversion"),
        "accounts": ("account", "position", "balance", "order", "ledgerentry", "instrument"),
        "common": ("auditrow",),
    }.items():
        yield from (reverse(f"admin:{app}_{model}_changelist") for model in models)


def test_no_page_asks_the_database_more_than_twenty_times(officer: TlsClient) -> None:
    counts = {}
    for url in _pages():
        _page(officer, url)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            _page(officer, url)
        counts[url] = len(queries)
    assert not {url: number for url, number in counts.items() if number > MOST_QUERIES}


def test_the_overview_says_how_many_stand_how_and_who_is_closest(officer: TlsClient) -> None:
    page = _page(officer, reverse("admin:index"))
    standing = overview.book_standing(results_latest(), EDGES)
    results = MarginResult.objects.filter(run=MarginResult.objects.latest("id").run_id)
    assert standing.accounts == results.count() == 12
    assert standing.equity == sum(result.net_equity for result in results)
    assert money(standing.mmr) in page
    assert sum(bin_.accounts for bin_ in standing.bins) + standing.unmeasured == 12
    for status in MarginStatus:
        number = results.filter(status=status).count()
        assert count(number) in page
        assert sum(bin_.counts.get(status, 0) for bin_ in standing.bins) <= number
    worst = results.filter(margin_ratio__isnull=False).order_by("margin_ratio").select_related("account")
    rows = overview.results_at_risk(results_latest(), overview.runs_completed(2)[1], 10)
    assert [row.result.pk for row in rows] == [result.pk for result in worst[:10]]
    assert all(row.change == 0.0 for row in rows)
    assert percent(rows[0].result.margin_ratio) in page


def test_before_any_run_the_overview_says_what_will_fill_it() -> None:
    client = enter(TlsClient(), person("vera", Role.VIEWER))
    assert "No account has been margined yet" in _page(client, reverse("admin:index"))


def test_a_page_whose_session_has_ended_is_told_to_load_itself(officer: TlsClient) -> None:
    officer.logout()
    response = officer.get(reverse("admin:overview_live"), headers={"X-Refresh": "1"})
    assert response.status_code == HTTPStatus.NO_CONTENT
    assert response["HX-Refresh"] == "true"


def test_a_what_if_shows_before_and_after_and_stores_nothing(officer: TlsClient) -> None:
    account = MarginResult.objects.exclude(mmr=0).latest("id").account_id
    stored = MarginResult.objects.count()
    url = reverse("admin:account_what_if", args=[account])
    book, sha256 = stored_book(account_id=account)
    answer = what_if_of(book, {"balances": {"USDT": "1000"}}, sha256)
    page = _page(officer, f"{url}?currency=USDT&amount=1000")
    assert money(answer["difference"]["account"]["adjusted_equity"], signed=True) in page
    assert MarginResult.objects.count() == stored
    assert "goes with the field beside it" in _page(officer, f"{url}?currency=USDT")
    assert "no index" in _page(officer, f"{url}?coin=NONE&move=5")
    assert "Enter a number" in _page(officer, f"{url}?vol=much")


def test_a_dry_run_says_what_would_be_done(officer: TlsClient) -> None:
    worst = overview.results_at_risk(results_latest(), None, 1)[0].result
    page = _page(officer, reverse("admin:account_plan", args=[worst.account_id]))
    assert ("not at its threshold" in page) == (worst.status in (MarginStatus.NORMAL, MarginStatus.WARNING))


def test_an_officer_turns_the_kill_switch_for_a_reason_that_is_kept(officer: TlsClient) -> None:
    url = reverse("admin:liquidation_controls_set")
    officer.post(url, {"switch": "kill_switch", "to": "on", "reason": ""}, format="multipart")
    assert not controls().kill_switch
    officer.post(url, {"switch": "kill_switch", "to": "on", "reason": "drill"}, format="multipart")
    assert controls().kill_switch
    row = AuditRow.objects.get(action="liquidation_controls.set")
    assert (row.actor, row.reason) == (f"user:{OFFICER}", "drill")
    assert "nothing is liquidated" in _page(officer, reverse("admin:liquidation_queue"))
    assert officer.post(url, {"switch": "none"}, format="multipart").status_code == HTTPStatus.BAD_REQUEST


def test_an_officer_sets_a_risk_state(officer: TlsClient) -> None:
    fields = {"underlying": "BTC", "mode": "hold", "reason": "index in doubt"}
    officer.post(reverse("admin:liquidation_risk_mode"), fields, format="multipart")
    assert RiskState.objects.get(underlying="BTC").mode == RiskMode.HOLD
    assert "index in doubt" in _page(officer, reverse("admin:index"))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.RISK_OFFICER])
def test_what_a_role_may_not_do_is_absent_and_refused(role: Role) -> None:
    client = enter(TlsClient(), person("pat", role))
    page = _page(client, reverse("admin:liquidation_controls"))
    assert "Turn the kill switch" not in page
    assert "Set the risk state" not in page
    switch = {"switch": "kill_switch", "to": "on", "reason": "drill"}
    for url in ("admin:liquidation_controls_set", "admin:liquidation_risk_mode"):
        assert client.post(reverse(url), switch, format="multipart").status_code == HTTPStatus.FORBIDDEN
    assert not controls().kill_switch
    people = client.get(reverse("admin:accounts_user_changelist")).status_code
    assert (people == HTTPStatus.OK) == (role is Role.ADMINISTRATOR)
    assert ("Second factors" in page) == (role is Role.ADMINISTRATOR)


def test_staff_without_a_role_see_nothing() -> None:
    client = enter(TlsClient(), person("nobody"))
    response = client.get(reverse("admin:index"))
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert "Not for your role" in response.content.decode()


def test_a_list_is_exported_as_it_is_filtered(officer: TlsClient) -> None:
    code = Account.objects.order_by("id").values_list("code", flat=True)[3]
    response = officer.get(reverse("admin:accounts_account_changelist"), {"q": code, "_export": "csv"})
    text = response.getvalue().decode()
    [headings, row] = list(csv.reader(text.splitlines()))
    assert dict(zip(headings, row, strict=True))["code"] == code
    results = officer.get(reverse("admin:margin_marginresult_changelist"), {"_export": "csv"})
    assert len(results.getvalue().decode().splitlines()) == 13


def test_the_search_finds_accounts_by_the_beginning_of_their_code(officer: TlsClient) -> None:
    account = Account.objects.order_by("id")[2]
    page = _page(officer, reverse("admin:search") + f"?extended=1&s={account.code}")
    assert reverse("admin:account", args=[account.pk]) in page


def test_an_administrator_gives_roles_to_others_and_none_to_himself_nor_touches_who_may_do_all() -> None:
    admin, other = person("ada", Role.ADMINISTRATOR), person("omar")
    client = enter(TlsClient(), admin)
    root = person("root", is_superuser=True)
    url = reverse("admin:accounts_user_change", args=[other.pk])
    page = _page(client, url)
    assert 'name="groups"' in page
    assert 'name="is_superuser"' not in page
    assert 'name="user_permissions"' not in page
    for person_id in (admin.pk, root.pk):
        url = reverse("admin:accounts_user_change", args=[person_id])
        assert client.post(url, {"username": "x"}, format="multipart").status_code == HTTPStatus.FORBIDDEN
        password = reverse("admin:auth_user_password_change", args=[person_id])
        assert client.get(password).status_code == HTTPStatus.FORBIDDEN
