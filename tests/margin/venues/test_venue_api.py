"""Venue formats over the API: of stored accounts, and of a position-builder request."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from margin.choices import RunReason
from margin.models import MarginResult
from margin.services.runs import run_start
from tests.margin.desks import AS_OF, CALL, FUTURE, SWAP, account_of, market
from tests.margin.test_api import CASE, SIMULATIONS, _client
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world, world

pytestmark = pytest.mark.django_db(transaction=True)

#: The venue's documented request.
REQUEST = {
    "inclRealPosAndEq": False,
    "simPos": [
        {"pos": "-10", "instId": "BTC-USDT-SWAP", "avgPx": "100000"},
        {"pos": "10", "instId": "LTC-USDT-SWAP", "avgPx": "8000"},
    ],
    "simAsset": [{"ccy": "USDT", "amt": "100"}],
    "greeksType": "CASH",
}


def build(body: Any, venue: str = "okx") -> Any:
    return _client(None).post(f"{SIMULATIONS}?format={venue}", body, format="json")


def test_the_documented_request_gets_the_documented_answer_once_its_version_is_in_force() -> None:
    world(CASE["book"]["market"], datetime(2025, 1, 22, tzinfo=UTC), [])
    answer = build(REQUEST)
    assert answer.status_code == HTTPStatus.OK, answer.content
    [data] = answer.json()["data"]
    assert float(data["totalMmr"]) == pytest.approx(CASE["expected"]["account"]["mmr"], rel=1e-9)
    assert float(data["eq"]) == pytest.approx(CASE["expected"]["account"]["adjusted_equity"], rel=1e-9)
    assert "PM-Market-Status" in answer.headers


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"inclRealPosAndEq": True}, "inclRealPosAndEq"),
        ({"simPos": [{"instId": "NO-SUCH", "pos": "1"}]}, "simPos[0].instId"),
        ({"simPos": [{"instId": SWAP, "pos": "many"}]}, "simPos[0].pos"),
        ({"simPos": [{"instId": SWAP, "pos": "1", "avgPx": "0"}]}, "simPos[0].avgPx"),
        ({"simPos": [{"instId": SWAP, "pos": "1e15"}]}, "simPos[0].pos"),
        ({"simAsset": [{"ccy": "USDT", "amt": "1"}] * 2}, "simAsset[1].ccy"),
        ({"idxVol": "0.1"}, "idxVol"),
    ],
)
def test_a_bad_request_is_named_in_its_own_words(change: Any, path: str) -> None:
    world(market(), AS_OF, [])
    answer = build({**REQUEST, "simPos": [], **change})
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.content
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_a_position_without_its_price_is_entered_at_the_mark() -> None:
    world(market(), AS_OF, [])
    [data] = build({"simPos": [{"instId": SWAP, "pos": "5"}]}).json()["data"]
    assert float(data["upl"]) == 0.0


def test_without_a_snapshot_there_is_nothing_to_simulate_by() -> None:
    assert build(REQUEST).status_code == HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("venue", ["bybit", "kraken", ""])
def test_a_format_that_a_route_does_not_offer_is_refused(venue: str) -> None:
    answer = build(REQUEST, venue)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert [error["path"] for error in answer.json()["errors"]] == ["format"]


def test_a_stored_account_is_told_in_either_venues_words_with_the_figures_of_its_report() -> None:
    account_id = account_of(
        {"USDT": "100000", "BTC": "1"},
        [(SWAP, "-10", "99000"), (FUTURE, "3", "101000"), (CALL, "-2", "0.02")],
    )
    work_through(run_start(reason=RunReason.MANUAL))
    client, path = _client(None), f"/api/v1/accounts/{account_id}/margin"
    report = client.get(path).json()["account"]
    [okx] = client.get(path, {"format": "okx"}).json()["data"]
    bybit = client.get(path, {"format": "bybit"}).json()["result"]["wallet"]
    assert float(okx["totalMmr"]) == float(bybit["accountMM"]) == report["mmr"]
    assert float(okx["eq"]) == report["adjusted_equity"]
    held = okx["riskUnitData"][0]["portfolios"]
    assert [row["instType"] for row in held][:3] == ["FUTURES", "OPTION", "SWAP"]
    assert all(row["isRealPos"] for row in held[:3])


def test_every_demo_account_can_be_told_in_either_format() -> None:
    demo_world(12)
    work_through(run_start(reason=RunReason.MANUAL))
    client = _client(None)
    for account_id in MarginResult.objects.values_list("account", flat=True):
        for venue in ("okx", "bybit"):
            answer = client.get(f"/api/v1/accounts/{account_id}/margin", {"format": venue})
            assert answer.status_code == HTTPStatus.OK, answer.content
