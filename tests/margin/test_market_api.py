"""The market through the API: published, refused, held and released, and labelled wherever it is used."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.models import Tenant
from margin.api.labels import AGE, AS_OF, STATUS
from margin.choices import RunReason
from margin.models import MarketGuardEvent, MarketSnapshot
from margin.services.publishing import SNAPSHOT_PUBLISHED
from margin.services.runs import run_start
from pmplatform.common.models import OutboxRow
from pmplatform.common.parsers import MIB
from pmplatform.common.problems import MEDIA_TYPE
from pmplatform.common.tokens import Scope
from tests.margin import desks
from tests.margin.desks import SWAP, account_of, market
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db(transaction=True)

MARKET = "/api/v1/market"
SNAPSHOTS, STATE, GUARDS = f"{MARKET}/snapshots", f"{MARKET}/state", f"{MARKET}/guards"
JUMPED = market({"BTC-USD": 130_000.0, "BTC-USDT": 130_000.0})


@pytest.fixture(autouse=True)
def the_clock() -> Any:
    """Every test begins at the moment of the first snapshot."""
    with time_machine.travel(desks.AS_OF, tick=False) as clock:
        yield clock


def _feeder() -> TlsClient:
    return _client(None, Scope.READ, Scope.RISK)


def _published(client: TlsClient, document: Any, ticks: int = 1, **more: Any) -> Any:
    as_of = desks.AS_OF + ticks * timedelta(seconds=5)
    headers = {f"HTTP_{name}": value for name, value in more.pop("headers", {}).items()}
    body = {"as_of": as_of.isoformat(), "market": document, **more}
    return client.post(SNAPSHOTS, body, format="json", **headers)


def _paths(answer: Any) -> list[str]:
    assert (answer.status_code, answer["Content-Type"]) == (400, MEDIA_TYPE), answer.content
    return [error["path"] for error in answer.json()["errors"]]


def test_a_published_snapshot_is_read_listed_and_told_to_the_workers() -> None:
    account_of()
    client = _feeder()
    answer = _published(client, market({"BTC-USD": 100_500.0}))
    assert answer.status_code == 201, answer.content
    stored = answer.json()
    assert (stored["instruments"], stored["held"]) == (4, {})
    assert stored["source"].startswith("token:")
    detail = client.get(f"{SNAPSHOTS}/{stored['sequence']}").json()
    assert detail["market"]["index"]["BTC-USD"] == 100_500.0
    assert {name: detail[name] for name in stored} == stored
    listed = client.get(SNAPSHOTS, {"source": stored["source"]}).json()["results"]
    assert [row["sequence"] for row in listed] == [stored["sequence"]]
    assert len(client.get(SNAPSHOTS).json()["results"]) == 2
    assert OutboxRow.objects.get(topic=SNAPSHOT_PUBLISHED).payload == {"snapshot": stored["sequence"]}


def test_a_snapshot_is_published_once_for_its_key() -> None:
    account_of()
    client, key = _feeder(), {"IDEMPOTENCY_KEY": "once"}
    first, again = (_published(client, market(), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert _published(client, JUMPED, headers=key).status_code == 422
    assert MarketSnapshot.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ([], ["", "as_of", "market"]),
        ({"as_of": "2025-02-03T10:00:05", "market": {}, "extra": 1}, ["extra", "as_of"]),
        ({"as_of": "2025-02-03T10:00:05Z", "market": {}}, ["market.index"]),
        (
            {"as_of": "2025-02-03T10:00:05Z", "market": market() | {"fx": {"USDT": "NaN", "EUR": 1}}},
            ["market.fx.EUR", "market.fx.USDT"],
        ),
        (
            {"as_of": "2025-02-03T10:00:05Z", "market": market({"BTC-USD": 1e13, "btc": 1})},
            ["market.index.BTC-USD"],
        ),
        (
            {"as_of": "2025-02-03T10:00:05Z", "market": market(), "settlement": {"NONE": "1"}},
            ["settlement.NONE"],
        ),
        ({"as_of": "2025-02-03T09:59:55Z", "market": market()}, ["as_of"]),
        ({"as_of": "2025-02-03T10:02:01Z", "market": market()}, ["as_of"]),
    ],
    ids=["list", "header", "empty", "values", "range", "settlement", "late", "ahead"],
)
def test_a_bad_snapshot_is_refused_with_its_paths_and_the_refusal_is_kept(
    body: Any, paths: list[str]
) -> None:
    account_of()
    client = _feeder()
    assert sorted(_paths(client.post(SNAPSHOTS, body, format="json"))) == sorted(paths)
    assert MarketSnapshot.objects.count() == 1
    [event] = client.get(GUARDS, {"kind": "refused"}).json()["results"]
    assert event["source"].startswith("token:")
    assert event["snapshot"] is None
    assert [reason.partition(":")[0] for reason in event["reasons"] if ":" in reason]
    assert not OutboxRow.objects.filter(topic=SNAPSHOT_PUBLISHED).exists()


def test_every_instrument_in_use_that_is_missing_is_named() -> None:
    account_of({"USDT": "1000"}, [(SWAP, "1", "100000")], [(desks.FUTURE, "buy", "1", "90000")])
    answer = _published(_feeder(), market() | {"instruments": []})
    messages = [error["message"] for error in answer.json()["errors"]]
    assert messages == [f"lacks {name}, which is in use" for name in (desks.FUTURE, SWAP)]


@pytest.mark.parametrize(
    "text",
    ['{"as_of": "2025-02-03T10:00:05Z", "market": {"index": {"BTC-USD": NaN}}}',
     '{"market": {}, "market": {}}', '{"market": ' + "[" * 40 + "]" * 40 + "}", "{"],
    ids=["nan", "twice", "deep", "cut"],
)  # fmt: skip
def test_what_is_no_strict_json_is_a_problem(text: str) -> None:
    account_of()
    answer = _feeder().post(SNAPSHOTS, text, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, MEDIA_TYPE)
    assert MarketSnapshot.objects.count() == 1


def test_eight_mebibytes_are_read_and_one_more_byte_is_not() -> None:
    account_of()
    document = json.dumps({"as_of": "2025-02-03T10:00:05Z", "market": market()})
    answers = [
        _feeder().post(SNAPSHOTS, document.ljust(size), content_type="application/json")
        for size in (8 * MIB, 8 * MIB + 1)
    ]
    assert [answer.status_code for answer in answers] == [201, 400]


def test_a_jump_is_held_for_everybody_to_see_until_the_next_snapshot_confirms_it() -> None:
    account_of()
    client = _feeder()
    held = _published(client, JUMPED).json()
    assert held["held"] == {"index.BTC-USD": [100_000.0, 130_000.0], "index.BTC-USDT": [100_000.0, 130_000.0]}
    state = client.get(STATE).json()
    assert (state["status"], state["is_held"], state["snapshot"]) == ("hold", True, held["sequence"])
    assert state["reasons"][0] == "index.BTC-USD jumped from 100000 to 130000, which is not confirmed"
    assert state["limits"]["index_jump"]["BTC"] == pytest.approx(0.24)
    _published(client, JUMPED, 2)
    assert client.get(STATE).json()["status"] == "fresh"
    kinds = [event["kind"] for event in client.get(GUARDS).json()["results"]]
    assert kinds == ["released", "held"]
    assert len(client.get(GUARDS, {"kind": "held"}).json()["results"]) == 1
    assert client.get(GUARDS, {"kind": "no-such"}).status_code == 400


def test_the_state_tells_age_and_standstill_apart(the_clock: Any) -> None:
    account_of()
    client = _client(None)
    the_clock.move_to(desks.AS_OF + timedelta(seconds=121))
    old = client.get(STATE).json()
    assert (old["status"], old["is_old"], old["is_stuck"], old["age_seconds"]) == ("stale", True, False, 121)
    the_clock.move_to(desks.AS_OF + timedelta(seconds=300))
    assert _published(_feeder(), market(), 60).status_code == 201
    stuck = client.get(STATE).json()
    assert (stuck["status"], stuck["is_old"], stuck["is_stuck"]) == ("stale", False, True)


def test_publishing_is_the_platforms_with_the_scope_and_reading_is_everybodys() -> None:
    account_of()
    tenant = _client(Tenant.objects.get(), Scope.READ, Scope.RISK)
    body = {"as_of": "2025-02-03T10:00:05Z", "market": market()}
    refused = {
        "tenant": tenant.post(SNAPSHOTS, body, format="json").status_code,
        "reader": _client(None, Scope.READ).post(SNAPSHOTS, body, format="json").status_code,
        "nobody": TlsClient().post(SNAPSHOTS, body, format="json").status_code,
    }
    assert refused == {"tenant": 403, "reader": 403, "nobody": 401}
    newest = MarketSnapshot.objects.get().pk
    reads = [tenant.get(path).status_code for path in (SNAPSHOTS, f"{SNAPSHOTS}/{newest}", STATE, GUARDS)]
    assert reads == [200] * 4
    assert tenant.get(f"{SNAPSHOTS}/999").status_code == 404
    assert not MarketGuardEvent.objects.exists()


def test_before_the_first_snapshot_there_is_no_state() -> None:
    assert _client(None).get(STATE).status_code == 404


def test_whatever_is_computed_by_the_market_says_of_when_it_is_and_how_far_to_trust_it(
    the_clock: Any,
) -> None:
    account_id = account_of({"USDT": "100000"}, [(SWAP, "10", "100000")])
    work_through(run_start(reason=RunReason.MANUAL))
    client, account = _client(None), f"/api/v1/accounts/{account_id}"
    reads = ("margin", "scenarios", "explain", "comparison", "curve", "eligibility", "withdrawable")

    def labels() -> set[tuple[datetime, float, str]]:
        answers = [client.get(f"{account}/{name}") for name in reads]
        answers.append(
            client.post("/api/v1/simulations/what-if", {"account": account_id, "changes": {}}, format="json")
        )
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        return {(datetime.fromisoformat(row[AS_OF]), float(row[AGE]), row[STATUS]) for row in answers}

    assert labels() == {(desks.AS_OF, 0.0, "fresh")}
    the_clock.move_to(desks.AS_OF + timedelta(seconds=200))
    assert labels() == {(desks.AS_OF, 200.0, "stale")}
    _published(_feeder(), JUMPED, 39)
    assert client.get(f"{account}/eligibility")[STATUS] == "hold"
    assert client.get(f"{account}/margin")[STATUS] == "stale", "its run was before the jump"


def test_what_is_computed_of_a_document_alone_has_no_label() -> None:
    account_of()
    book = {
        "as_of": "2025-02-03T10:00:05Z",
        "methodology": "standard",
        "parameters": None,
        "market": market(),
    }
    book["account"] = {"id": "A", "balances": {"USDT": "1"}}
    answer = _client(None).post("/api/v1/simulations/what-if", {"book": book, "changes": {}}, format="json")
    assert answer.status_code == 200, answer.content
    assert STATUS not in answer.headers
