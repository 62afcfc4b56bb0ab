"""Explanations of stored results: from the inputs of their run, over the API and in the console."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from accounts.models import Tenant
from accounts.services.tenants import user_create
from margin.choices import RunReason
from margin.models import Blob, MarginResult, MarginRun
from margin.services import cutting, runs
from margin.services.explanations import result_explanation
from margin.services.reports import report_of
from pmplatform.common.console import money
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, demo_world
from tests.support.client import TlsClient
from tests.support.console import enter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> list[MarginResult]:
    """The results of a run over shards of a few accounts each."""
    monkeypatch.setattr(cutting, "SHARD_ACCOUNTS", 3)
    demo_world(10)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    return list(MarginResult.objects.select_related("run", "account__tenant").order_by("account_id"))


def test_every_results_shares_sum_to_its_report(results: list[MarginResult]) -> None:
    assert any(report_of(result)["risk_units"] for result in results)
    for result in results:
        explained = result_explanation(result=result)
        assert explained is not None
        units = report_of(result)["risk_units"]
        assert list(explained) == [unit["unit"] for unit in units]
        for unit in units:
            entry = explained[unit["unit"]]["mmr"]
            assert entry["value"] == unit["mmr"]
            total = sum(row["share"] for row in entry["shares"])
            assert total == pytest.approx(unit["mmr"], rel=1e-9, abs=1e-6)


def test_the_api_explains_an_accounts_newest_result_to_nobody_else(results: list[MarginResult]) -> None:
    result = results[0]
    path = f"/api/v1/accounts/{result.account_id}/explain"
    answer = _client(result.account.tenant).get(path)
    assert (answer.status_code, answer.json()) == (HTTPStatus.OK, result_explanation(result=result))
    other = Tenant.objects.create(slug="other", name="Other")
    assert _client(other).get(path).status_code == HTTPStatus.NOT_FOUND


def test_what_was_forgotten_or_made_otherwise_is_not_explained(results: list[MarginResult]) -> None:
    result = results[-1]
    Blob.objects.all().delete()
    assert result_explanation(result=result) is None
    path = f"/api/v1/accounts/{result.account_id}/explain"
    assert _client(None).get(path).status_code == HTTPStatus.NOT_FOUND
    result.run = MarginRun(snapshot=result.run.snapshot, engine="0.0.1")
    assert result_explanation(result=result) is None


def test_an_accounts_page_shows_every_rows_shares(results: list[MarginResult]) -> None:
    result = next(item for item in results if report_of(item)["risk_units"])
    root = user_create(
        username="root", password="correct horse battery", tenant=None, is_superuser=True, actor=ACTOR
    )
    client = enter(TlsClient(), root)
    response = client.get(reverse("admin:margin_marginresult_change", args=[result.pk]))
    page = response.content.decode()
    explained = result_explanation(result=result)
    assert explained is not None
    assert page.count("shares of the maintenance margin") == len(explained)
    for entry in explained.values():
        assert all(money(row["share"], signed=True) in page for row in entry["mmr"]["shares"])
