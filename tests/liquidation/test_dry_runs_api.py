"""Dry runs through the API, over real PostgreSQL: the same plans as on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Account, Tenant
from liquidation.planner.document import liquidation_plan
from margin.parameter_files import shipped_documents, shipped_library
from margin.services.market import parameters_load_initial
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope
from tests.liquidation.queue import support as queue
from tests.margin.desks import AS_OF, SWAP, account_of, market
from tests.margin.engine.support import PERPETUAL, book, position
from tests.margin.test_api import _client

pytestmark = pytest.mark.django_db(transaction=True)

DRY_RUN = "/api/v1/simulations/liquidation"
DISTRESSED = book([position(PERPETUAL, 10)], balances={"USDT": 3_500})


def plan_route(account_id: int) -> str:
    return f"/api/v1/accounts/{account_id}/liquidation-plan"


@pytest.mark.parametrize("methodology", ["okx-2025", "okx-classic", "bybit-uta", "standard"])
def test_a_book_is_planned_for_as_on_the_command_line(
    methodology: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters_load_initial(documents=shipped_documents())
    document = DISTRESSED | {"methodology": methodology, "parameters": None}
    file = tmp_path / "book.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    call_command("liquidation_plan", str(file))
    response = _client(None).post(DRY_RUN, document, format="json")
    assert response.status_code == 200, response.content
    printed = json.loads(capsys.readouterr().out)
    assert response.json()["steps"]
    # Not only equal: the same digits and the same order of members.
    assert json.dumps(response.json()) == json.dumps(printed)


def test_a_bad_book_is_a_problem_with_the_path_of_each_fault() -> None:
    parameters_load_initial(documents=shipped_documents())
    response = _client(None).post(DRY_RUN, DISTRESSED | {"methodology": "none"}, format="json")
    assert (response.status_code, response["Content-Type"]) == (400, MEDIA_TYPE)
    assert [error["path"] for error in response.json()["errors"]] == ["methodology"]


def stored() -> dict[str, Any]:
    """An account past its threshold, in the database; returns it as a book document."""
    balances, positions = {"USDT": "500", "BTC": "0.001"}, [(SWAP, "10", "101000")]
    account_of(balances, positions, [(SWAP, "buy", "1", "99000")])
    return {
        "as_of": AS_OF.isoformat(),
        "methodology": "okx-2025",
        "parameters": None,
        "market": market(),
        "account": {
            "id": "A-1",
            "balances": balances,
            "positions": [{"instrument": SWAP, "quantity": "10", "entry_price": "101000"}],
            "orders": [{"instrument": SWAP, "side": "buy", "quantity": "1", "price": "99000"}],
        },
    }


def test_a_stored_account_is_planned_for_as_its_book_would_be() -> None:
    document = stored()
    account = Account.objects.select_related("tenant").get()
    response = _client(account.tenant).get(plan_route(account.pk))
    assert response.status_code == 200, response.content
    assert response["PM-Market-As-Of"] == AS_OF.isoformat()
    found, expected = response.json(), liquidation_plan(document, shipped_library())
    assert [step["kind"] for step in found["steps"]][:2] == ["cancel_orders", "close"]
    for plan in (found, expected):
        del plan["input_sha256"], plan["account"]["id"]
    assert found == expected
    account.refresh_from_db()
    assert account.orders.count() == 1


def test_the_plan_of_a_live_case_goes_on_to_its_target() -> None:
    # 10 coins require 12.2 % of a million; 130,000 are above the threshold and below the target.
    [account] = queue.stored(queue.directional())
    queue.opened(account)
    queue.snapshot(queue.directional(), 1, 1.06)
    tenant = Account.objects.select_related("tenant").get().tenant
    found = _client(tenant).get(plan_route(account.pk)).json()
    assert found["initial"]["margin_ratio"] > 1.0
    assert (found["trigger"], found["outcome"], len(found["steps"])) == ("liquidation", "safe", 1)


def test_a_plan_asks_for_the_scope_to_read_and_for_an_account_of_the_callers() -> None:
    stored()
    account = Account.objects.select_related("tenant").get()
    other = Tenant.objects.create(slug="other", name="Other")
    assert _client(other).get(plan_route(account.pk)).status_code == 404
    assert _client(account.tenant, Scope.TRADE).get(plan_route(account.pk)).status_code == 403
    assert _client(None, Scope.TRADE).post(DRY_RUN, DISTRESSED, format="json").status_code == 403


def test_an_account_that_cannot_be_margined_is_refused_with_the_reason() -> None:
    tenant = Tenant.objects.create(slug="desk", name="Desk")
    account = Account.objects.create(
        tenant=tenant, code="A-1", methodology="standard", margin_methodology="standard"
    )
    response = _client(tenant).get(plan_route(account.pk))
    assert (response.status_code, response["Content-Type"]) == (422, MEDIA_TYPE)
    assert "no market snapshot" in str(response.json())
