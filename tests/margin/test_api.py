"""Simulations, reports and runs through the API, over real PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account, ApiToken, Tenant
from margin.choices import PartState, RunReason, RunState
from margin.models import MarginResult, MarginRun, MarginRunPart
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial
from margin.services.reports import report_bytes
from margin.services.runs import run_start
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope, token_generate
from tests.margin.test_runs import work_through
from tests.margin.world import AS_OF, demo_world, newest_run
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)

CASE = json.loads(
    (Path(__file__).resolve().parents[1] / "cases" / "okx-2025-position-builder.json").read_text()
)
SIMULATIONS, RUNS = "/api/v1/simulations", "/api/v1/runs"


def _client(tenant: Tenant | None, *scopes: Scope) -> TlsClient:
    parts = token_generate()
    ApiToken.objects.create(
        public_id=parts.public_id,
        digest=parts.digest,
        tenant=tenant,
        scopes=list(scopes or [Scope.READ]),
        expires_at=AS_OF.replace(year=2999),
        created_by="test",
    )
    return TlsClient(HTTP_AUTHORIZATION=f"Bearer {parts.text}")


def _simulate(book: Any) -> Any:
    parameters_load_initial(documents=shipped_documents())
    return _client(None).post(SIMULATIONS, book, format="json")


def test_a_simulation_reproduces_the_published_account() -> None:
    response = _simulate(CASE["book"])
    assert response.status_code == 200, response.content
    report, expected = response.json(), CASE["expected"]
    for name, value in expected["account"].items():
        assert report["account"][name] == pytest.approx(value, rel=1e-9), name
    units = {unit["unit"]: unit for unit in report["risk_units"]}
    for unit, figures in expected["risk_units"].items():
        for name in ("mmr", "imr", "cash_delta", "upl", "components"):
            assert units[unit][name] == pytest.approx(figures[name], rel=1e-9), (unit, name)


def test_an_explanation_adds_up_to_the_published_requirement() -> None:
    parameters_load_initial(documents=shipped_documents())
    client = _client(None)
    explained = client.post(f"{SIMULATIONS}/explain", CASE["book"], format="json").json()
    for unit, figures in CASE["expected"]["risk_units"].items():
        shares = [row["share"] for row in explained[unit]["mmr"]["shares"]]
        assert sum(shares) == pytest.approx(figures["mmr"], rel=1e-9)
    refused = client.post(f"{SIMULATIONS}/explain", {**CASE["book"], "methodology": "other"}, format="json")
    assert refused.status_code == 400
    assert [error["path"] for error in refused.json()["errors"]] == ["methodology"]


def test_a_bad_book_is_a_problem_with_the_path_of_each_fault() -> None:
    account = CASE["book"]["account"]
    positions = [{**account["positions"][0], "quantity": "many"}]
    response = _simulate({**CASE["book"], "account": {**account, "positions": positions}})
    assert (response.status_code, response["Content-Type"]) == (400, MEDIA_TYPE)
    assert [error["path"] for error in response.json()["errors"]] == ["account.positions[0].quantity"]


def test_a_book_that_is_not_strict_json_is_refused_with_its_path() -> None:
    client = _client(None)
    response = client.post(SIMULATIONS, '{"market": {"fx": {"USDT": NaN}}}', content_type="application/json")
    assert response.status_code == 400
    assert [error["path"] for error in response.json()["errors"]] == ["market.fx.USDT"]


def test_an_accounts_report_is_answered_as_stored_and_to_nobody_else() -> None:
    demo_world(3)
    work_through(run_start(reason=RunReason.MANUAL))
    result = MarginResult.objects.select_related("account__tenant").latest("id")
    path = f"/api/v1/accounts/{result.account_id}/margin"
    answer = _client(result.account.tenant).get(path)
    assert (answer.status_code, answer.content) == (200, report_bytes(result=result))
    other = _client(Tenant.objects.create(slug="other", name="Other")).get(path)
    assert (other.status_code, other["Content-Type"]) == (404, MEDIA_TYPE)


def test_an_account_without_a_completed_run_has_no_report() -> None:
    demo_world(2)
    run_start(reason=RunReason.MANUAL)
    account_id = Account.objects.earliest("id").pk
    assert _client(None).get(f"/api/v1/accounts/{account_id}/margin").status_code == 404


def test_a_runs_progress_is_read_part_by_part() -> None:
    demo_world(4)
    part_ids = run_start(reason=RunReason.MANUAL)
    run = newest_run()
    client = _client(None)
    before = client.get(f"{RUNS}/{run.pk}").json()
    assert (before["state"], before["parts_done"], before["accounts_done"]) == (RunState.STRESS, 0, 0)
    work_through(part_ids)
    after = client.get(f"{RUNS}/{run.pk}").json()
    assert after["state"] == RunState.COMPLETED
    assert after["parts_done"] == after["parts_total"] == MarginRunPart.objects.filter(run=run).count()
    assert after["accounts_done"] == after["accounts"] == 4
    assert after["blocked"] == {}
    assert {part["state"] for part in after["parts"]} == {PartState.DONE}
    assert len(after["result_sha256"]) == 64


def test_runs_are_listed_newest_first_for_the_platform_only() -> None:
    demo_world(2)
    for _ in range(2):
        run_start(reason=RunReason.MANUAL)
    listed = [run["id"] for run in _client(None).get(RUNS).json()["results"]]
    assert listed == sorted(MarginRun.objects.values_list("id", flat=True), reverse=True)
    assert _client(Tenant.objects.get()).get(RUNS).status_code == 403


def test_a_run_is_started_with_the_scope_for_risk() -> None:
    demo_world(2)
    assert _client(None).post(RUNS).status_code == 403
    assert not MarginRun.objects.exists()
    response = _client(None, Scope.RISK).post(RUNS)
    assert (response.status_code, response.json()["id"]) == (202, newest_run().pk)


def test_a_run_without_a_snapshot_is_refused_with_the_reason() -> None:
    response = _client(None, Scope.RISK).post(RUNS)
    assert response.status_code == 422
    assert "snapshot" in response.json()["reasons"][0]


def test_an_unknown_run_is_not_found() -> None:
    assert _client(None).get(f"{RUNS}/1").status_code == 404


def test_every_route_is_in_a_schema_without_warnings(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    schema = file.read_text()
    for path in ("simulations", "runs", "runs/{run_id}", "accounts/{account_id}/margin"):
        assert f"/api/v1/{path}:" in schema
