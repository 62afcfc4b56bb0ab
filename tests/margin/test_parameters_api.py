"""Parameter versions through the API, from the draft to the day it comes into force."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Tenant
from margin.models import ParameterVersion
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope
from tests.margin.proposals import CLASSIC, NOW, classic_world, impact_of, proposal
from tests.margin.test_api import _client
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)

VERSIONS = "/api/v1/parameters/versions"
IN_FORCE = "/api/v1/parameters/in-force"


@pytest.fixture(autouse=True)
def the_clock() -> Any:
    """Every test plays at `NOW`."""
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def _officer() -> TlsClient:
    return _client(None, Scope.READ, Scope.PARAMETERS)


def _drafted(client: TlsClient, **changes: Any) -> str:
    answer = client.post(VERSIONS, {"document": proposal(**changes)}, format="json")
    assert answer.status_code == 201, answer.content
    return f"{VERSIONS}/{answer.json()['id']}"


def _proposed(client: TlsClient, **changes: Any) -> str:
    path = _drafted(client, **changes)
    assert client.post(f"{path}/propose", {}, format="json").status_code == 200
    return path


def _with_impact(path: str) -> None:
    impact_of(ParameterVersion.objects.get(pk=int(path.rpartition("/")[2])))


def test_a_version_goes_from_draft_into_force_by_two_people(the_clock: Any) -> None:
    classic_world(4)
    alice, bob = _officer(), _officer()
    path = _proposed(alice)
    waiting = alice.get(path).json()["approval"]["reasons"]
    assert waiting == ["There is no impact report of this document against the version in force."]
    assert bob.post(f"{path}/approve", {}, format="json").status_code == 422
    _with_impact(path)
    own = alice.post(f"{path}/approve", {}, format="json")
    assert (own.status_code, own["Content-Type"]) == (403, MEDIA_TYPE)
    assert bob.post(f"{path}/approve", {}, format="json").json()["state"] == "approved"
    assert bob.post(f"{path}/schedule", {}, format="json").json()["state"] == "scheduled"
    assert alice.post(f"{path}/propose", {}, format="json").status_code == 409
    at = {"methodology": CLASSIC, "at": "2024-12-24T08:00:00Z"}
    assert alice.get(IN_FORCE, at).json()["version"] == "next"
    assert alice.get(IN_FORCE, {"methodology": CLASSIC}).json()["version"] == "2024-06-05"
    the_clock.move_to(NOW + timedelta(days=5))
    assert alice.get(IN_FORCE, {"methodology": CLASSIC}).json()["version"] == "next"


def test_a_write_is_done_once_for_its_key() -> None:
    classic_world(1)
    client = _officer()
    path = _drafted(client)
    answers = [
        client.post(f"{path}/propose", {}, format="json", HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()


def test_a_bad_document_is_a_problem_with_its_paths() -> None:
    classic_world(1)
    answer = _officer().post(VERSIONS, {"document": proposal(imr_factor=0.5)}, format="json")
    assert (answer.status_code, answer["Content-Type"]) == (400, MEDIA_TYPE)
    assert [error["path"] for error in answer.json()["errors"]] == ["parameters.imr_factor"]


def test_a_draft_is_replaced_and_compared() -> None:
    classic_world(1)
    client = _officer()
    path = _drafted(client)
    changed = client.put(path, {"document": proposal(imr_factor=1.56)}, format="json")
    assert changed.status_code == 200, changed.content
    [change] = client.get(f"{path}/diff").json()["changes"]
    assert (change["path"], change["old"], change["new"]) == ("imr_factor", 1.3, 1.56)
    assert change["relative"] == pytest.approx(0.2)
    other = client.get(f"{path}/diff", {"base": "2024-05-11"}).json()
    assert {row["path"] for row in other["changes"]} == {"imr_factor", "mr4.include_spot"}
    assert client.get(f"{path}/diff", {"base": "never"}).status_code == 404


def test_an_impact_report_is_started_and_read_with_every_account() -> None:
    classic_world(5)
    client = _officer()
    path = _proposed(client, imr_factor=1.5)
    assert client.get(f"{path}/impact").status_code == 404
    started = client.post(f"{path}/impact", {}, format="json")
    assert (started.status_code, started.json()["state"]) == (202, "running")
    _with_impact(path)
    report = client.get(f"{path}/impact").json()
    assert (report["state"], report["newly_liquidatable"]) == ("completed", 0)
    assert report["report"]["imr"]["ratio"] > 0.0
    accounts = client.get(f"{path}/impact/accounts").json()["results"]
    assert len(accounts) == 5
    assert all(float(row["after"]["imr"]) >= float(row["before"]["imr"]) for row in accounts)


def test_reject_withdraw_and_roll_back_need_a_reason() -> None:
    classic_world(1)
    client = _officer()
    path = _proposed(client)
    for action in ("reject", "withdraw"):
        refused = client.post(f"{path}/{action}", {}, format="json")
        assert [error["path"] for error in refused.json()["errors"]] == ["reason"]
    closed = client.post(f"{path}/reject", {"reason": "too low"}, format="json").json()
    assert (closed["state"], bool(closed["closed_by"])) == ("rejected", True)
    body = {"methodology": CLASSIC, "version": "2024-05-11", "reason": "losses"}
    back = client.post("/api/v1/parameters/rollback", body, format="json")
    assert back.status_code == 201, back.content
    assert (back.json()["state"], back.json()["origin"]) == ("active", "rollback")
    assert client.get(IN_FORCE, {"methodology": CLASSIC}).json()["version"] == back.json()["version"]


def test_versions_are_the_platforms_and_what_is_in_force_is_everybodys() -> None:
    classic_world(1)
    tenant = _client(Tenant.objects.get(), Scope.TRADE)
    assert tenant.get(IN_FORCE, {"methodology": CLASSIC}).status_code == 200
    assert TlsClient().get(IN_FORCE, {"methodology": CLASSIC}).status_code == 401
    assert tenant.get(VERSIONS).status_code == 403
    reader = _client(None, Scope.READ)
    listed = reader.get(VERSIONS, {"methodology": CLASSIC, "state": "active"}).json()["results"]
    assert [row["version"] for row in listed] == ["2024-06-05"]
    assert reader.post(VERSIONS, {"document": proposal()}, format="json").status_code == 403
    assert reader.get(VERSIONS, {"colour": "red"}).status_code == 400


@pytest.mark.parametrize(
    ("asked", "path", "status"),
    [
        ({}, "methodology", 400),
        ({"methodology": "other"}, "methodology", 400),
        ({"methodology": CLASSIC, "at": "2024-12-24"}, "at", 400),
        ({"methodology": CLASSIC, "at": "soon"}, "at", 400),
        ({"methodology": CLASSIC, "at": "1999-01-01T00:00:00Z"}, None, 404),
    ],
)
def test_what_is_in_force_is_asked_for_by_methodology_and_instant(
    asked: dict[str, str], path: str | None, status: int
) -> None:
    classic_world(1)
    answer = _client(None).get(IN_FORCE, asked)
    assert answer.status_code == status
    assert [error["path"] for error in answer.json()["errors"]] == ([path] if path else [])


def test_the_answer_in_force_is_the_whole_document() -> None:
    classic_world(1)
    body = _client(None).get(IN_FORCE, {"methodology": CLASSIC}).json()
    assert body["document"]["mr1"]["price_moves"]["tier1"] == [0.05, 0.1, 0.15]
    assert datetime.fromisoformat(body["effective_from"]) < NOW
