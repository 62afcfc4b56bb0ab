"""An account's newest result over the API: what its stored inputs tell, and to whom."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Tenant
from margin.choices import RunReason
from margin.engine.methodologies.registry import OFFERED
from margin.engine.simulation import report_of as computed
from margin.models import Blob, MarginResult
from margin.services.inputs import result_book
from margin.services.reports import report_of
from margin.services.runs import run_start
from pmplatform.common.tokens import Scope
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world

pytestmark = pytest.mark.django_db(transaction=True)

ROUTES = ("margin", "scenarios", "explain", "comparison", "curve")


@pytest.fixture
def results() -> list[MarginResult]:
    demo_world(12)
    work_through(run_start(reason=RunReason.MANUAL))
    return list(MarginResult.objects.select_related("run", "account__tenant").order_by("account_id"))


def _with_units(results: list[MarginResult]) -> MarginResult:
    return next(result for result in results if report_of(result)["risk_units"])


def _get(result: MarginResult, route: str, **query: str) -> Any:
    return _client(result.account.tenant).get(f"/api/v1/accounts/{result.account_id}/{route}", query)


def test_the_inputs_of_every_result_give_its_report_again(results: list[MarginResult]) -> None:
    for result in results:
        book = result_book(result=result)
        assert book is not None
        assert computed(book, result.input_sha256) == report_of(result)


def test_an_account_is_compared_under_every_methodology(results: list[MarginResult]) -> None:
    for result in results:
        answer = _get(result, "comparison").json()
        report = report_of(result)
        assert answer[report["methodology"]] == report["account"]
        assert set(OFFERED) < set(answer)
        assert float(result.standard_imr or 0) == pytest.approx(answer["standard"]["imr"], abs=1e-7)


def test_a_curve_passes_through_the_stored_figures(results: list[MarginResult]) -> None:
    result = _with_units(results)
    account = report_of(result)["account"]
    for axis in ("price", "vol"):
        curve = _get(result, "curve", axis=axis).json()
        [now] = [point for point in curve["points"] if point["move"] == 0.0]
        assert (curve["axis"], now["equity"], now["mmr"], now["margin_ratio"]) == (
            axis,
            account["adjusted_equity"],
            account["mmr"],
            account["margin_ratio"],
        )


def test_scenarios_are_those_of_the_stored_report(results: list[MarginResult]) -> None:
    result = _with_units(results)
    units = {unit["unit"]: unit for unit in report_of(result)["risk_units"]}
    answer = _get(result, "scenarios").json()
    assert set(answer) == set(units)
    for name, unit in answer.items():
        assert unit == {key: units[name][key] for key in ("scenarios", "worst")}


@pytest.mark.parametrize(
    ("query", "path"), [({"axis": "time"}, "axis"), ({"coin": "NONE"}, "coin"), ({"x": "1"}, "x")]
)
def test_a_fault_of_the_query_is_at_its_name(
    results: list[MarginResult], query: dict[str, str], path: str
) -> None:
    refused = _get(_with_units(results), "curve", **query)
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert [error["path"] for error in refused.json()["errors"]] == [path]


@pytest.mark.parametrize("route", ROUTES)
def test_nobody_else_reads_a_result(results: list[MarginResult], route: str) -> None:
    result = results[0]
    path = f"/api/v1/accounts/{result.account_id}/{route}"
    other = Tenant.objects.create(slug="other", name="Other")
    assert _client(other).get(path).status_code == HTTPStatus.NOT_FOUND
    assert _client(result.account.tenant, Scope.RISK).get(path).status_code == HTTPStatus.FORBIDDEN


def test_what_was_forgotten_is_not_told(results: list[MarginResult]) -> None:
    Blob.objects.all().delete()
    for route in ("explain", "comparison", "curve"):
        assert _get(results[-1], route).status_code == HTTPStatus.NOT_FOUND


def test_the_routes_are_in_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    for route in ROUTES:
        assert f"/api/v1/accounts/{{account_id}}/{route}:" in file.read_text()
