"""Comparisons, curves and what-ifs through the API, over real PostgreSQL."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account, Tenant
from margin.choices import RunReason
from margin.models import MarginResult
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial
from margin.services.reports import report_of
from margin.services.runs import run_start
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope
from tests.margin.engine.support import PERPETUAL, book, position, report
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world

pytestmark = pytest.mark.django_db(transaction=True)

SIMULATIONS = "/api/v1/simulations"
SHORT = book([position(PERPETUAL, -3)], balances={"USDT": 100_000})


@pytest.fixture(autouse=True)
def _parameters() -> None:
    parameters_load_initial(documents=shipped_documents())


def _post(route: str, body: Any, *, status: int = 200, tenant: Tenant | None = None) -> Any:
    response = _client(tenant).post(f"{SIMULATIONS}/{route}", body, format="json")
    assert response.status_code == status, response.content
    if status != 200:
        assert response["Content-Type"] == MEDIA_TYPE
    return response.json()


def _paths(problem: Any) -> list[str]:
    return [error["path"] for error in problem["errors"]]


def test_a_book_is_compared_under_every_methodology() -> None:
    answer = _post("compare", {"book": SHORT})
    assert answer["okx-2025"] == report(SHORT)["account"]
    assert answer["saving"]["okx-2025"]["imr"] == answer["standard"]["imr"] - answer["okx-2025"]["imr"]


def test_a_curve_is_drawn_where_asked() -> None:
    moves = [-0.1, 0.0, 0.5]
    answer = _post("curve", {"book": SHORT, "coin": "BTC", "moves": moves})
    assert [point["move"] for point in answer["points"]] == moves
    assert answer["points"][1]["margin_ratio"] == report(SHORT)["account"]["margin_ratio"]
    assert len(answer["liquidation_prices"]) == 1
    assert _post("curve", {"book": SHORT, "axis": "vol"})["axis"] == "vol"


def test_what_if_takes_a_book() -> None:
    answer = _post("what-if", {"book": SHORT, "changes": {"positions": [position(PERPETUAL, 3)]}})
    assert answer["before"] == report(SHORT)
    assert answer["after"]["account"]["mmr"] == 0.0
    assert answer["difference"]["account"]["mmr"] == -answer["before"]["account"]["mmr"]


@pytest.mark.parametrize(
    ("route", "body", "paths"),
    [
        ("compare", {"book": []}, ["book"]),
        ("compare", {"books": SHORT}, ["books", "book"]),
        ("compare", {"book": SHORT | {"methodology": "x"}}, ["book.methodology"]),
        ("curve", {"book": SHORT, "axis": "time"}, ["axis"]),
        ("curve", {"book": SHORT, "coin": "DOGE"}, ["coin"]),
        ("curve", {"book": SHORT, "moves": [0, "x"]}, ["moves[1]"]),
        ("curve", {"book": book([position("X", 1)])}, ["book.account.positions[0].instrument"]),
        ("what-if", {"changes": {}}, ["book"]),
        ("what-if", {"book": SHORT, "account": 1, "changes": {}}, ["book"]),
        ("what-if", {"book": SHORT}, ["changes"]),
        ("what-if", {"account": "1.5", "changes": {}}, ["account"]),
        (
            "what-if",
            {"book": SHORT, "changes": {"shifts": {"price": {"BTC": -2}}}},
            ["changes.shifts.price.BTC"],
        ),
        ("what-if", {"book": SHORT, "changes": {"balances": {"X": 1}}}, ["book.market.index.X-USD"]),
    ],
)
def test_every_fault_is_at_its_path_in_the_body(route: str, body: Any, paths: list[str]) -> None:
    assert _paths(_post(route, body, status=400)) == paths


def test_what_if_takes_an_account_at_the_newest_snapshot() -> None:
    demo_world(3)
    work_through(run_start(reason=RunReason.MANUAL))
    result = MarginResult.objects.select_related("account__tenant").latest("id")
    body = {"account": result.account_id, "changes": {"balances": {"USD": 1000}}}
    answer = _post("what-if", body, tenant=result.account.tenant)
    stored = report_of(result)
    for part in ("account", "currencies", "risk_units", "parameters"):
        assert answer["before"][part] == stored[part], part
    assert answer["difference"]["account"]["net_equity"] == pytest.approx(1000.0)
    changes = {"positions": [position("NO-SUCH-SWAP", 1)]}
    problem = _post("what-if", body | {"changes": changes}, status=400, tenant=result.account.tenant)
    assert _paths(problem) == ["changes.positions[0].instrument"]


def test_somebody_elses_account_is_not_found() -> None:
    demo_world(1)
    other = Tenant.objects.create(slug="other", name="Other")
    body = {"account": Account.objects.get().pk, "changes": {}}
    _post("what-if", body, status=404, tenant=other)


def test_an_account_without_a_snapshot_is_refused_with_the_reason() -> None:
    tenant = Tenant.objects.create(slug="desk", name="Desk")
    account = Account.objects.create(
        tenant=tenant, code="A-1", methodology="standard", margin_methodology="standard"
    )
    problem = _post("what-if", {"account": account.pk, "changes": {}}, status=422, tenant=tenant)
    assert problem["reasons"] == ["There is no market snapshot yet."]


def test_the_scope_to_read_is_needed() -> None:
    response = _client(None, Scope.RISK).post(f"{SIMULATIONS}/compare", {"book": SHORT}, format="json")
    assert response.status_code == 403


def test_the_routes_are_in_the_schema_with_their_examples(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", file=str(file))
    schema = file.read_text()
    for name in ("compare", "curve", "what-if"):
        assert f"{SIMULATIONS}/{name}:" in schema
    assert "liquidation_prices" in schema
