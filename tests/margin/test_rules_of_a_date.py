"""Margin at a date uses that date's rules: across the changes of okx-classic on 6 and 15 January 2025."""

from datetime import datetime, timedelta
from typing import Any, Final

import pytest

from accounts.models import Account
from margin.choices import RunReason
from margin.engine.simulation import margin_report
from margin.models import MarginResult
from margin.parameter_files import shipped_library
from margin.services.market import snapshot_accept
from margin.services.reports import report_of
from margin.services.runs import run_start
from tests.margin.test_api import _client
from tests.margin.test_runs import work_through
from tests.margin.world import ACTOR, world

CLASSIC: Final = "okx-classic"
#: Instants of the market, and the version in force at each.
DATES: Final = {
    "2024-03-01T00:00:00+00:00": "2023-07-12",
    "2024-12-20T10:00:00+00:00": "2024-06-05",
    "2025-01-06T07:59:59+00:00": "2024-06-05",
    "2025-01-06T08:00:00+00:00": "2025-01-06",
    "2025-01-15T07:59:59+00:00": "2025-01-06",
    "2025-01-15T08:00:00+00:00": "2025-01-15",
}
HELD: Final[dict[str, Any]] = {
    "id": "A",
    "hedge_mode": "derivatives_only",
    "balances": {"USDT": "1000000"},
    "positions": [{"instrument": "BTC-USDT-SWAP", "quantity": "1000", "entry_price": "100000"}],
}
MARKET: Final[dict[str, Any]] = {
    "index": {"BTC-USD": 100_000.0, "BTC-USDT": 100_000.0},
    "fx": {"USDT": 1.0, "USDC": 1.0},
    "instruments": [
        {
            "id": "BTC-USDT-SWAP",
            "kind": "perpetual",
            "underlying": "BTC",
            "style": "linear",
            "settle": "USDT",
            "contract_size": 0.01,
            "mark": 100_000.0,
        }
    ],
}


def simulated(at: str, parameters: Any = None, account: Any = HELD) -> Any:
    book = {"as_of": at, "methodology": CLASSIC, "parameters": parameters, "market": MARKET}
    return margin_report({**book, "account": account}, shipped_library())


def test_a_book_of_a_date_is_margined_by_the_version_of_that_date() -> None:
    for at, version in DATES.items():
        report = simulated(at)
        assert report["parameters"]["version"] == version
        assert report["account"] == simulated(at, version)["account"]


def test_the_changes_of_january_show_in_the_requirement() -> None:
    mmr = {at: simulated(at)["account"]["mmr"] for at in DATES}
    _, december, before, sixth, still, fifteenth = mmr.values()
    assert december == before
    assert sixth == still
    # A million long: 15 % became 12 % in the largest move of MR1, 30 % became 24 % in MR6, at half.
    assert sixth == pytest.approx(0.8 * before, rel=0.02)
    assert fifteenth == sixth, "the fifteenth changed MR7, which does not bind here"
    large = {**HELD, "positions": [{**HELD["positions"][0], "quantity": "200000"}]}
    mr7 = [simulated(at, account=large)["risk_units"][0]["components"]["mr7"] for at in list(DATES)[-2:]]
    assert mr7[1] < mr7[0]


@pytest.mark.django_db(transaction=True)
def test_runs_and_questions_about_the_past_go_by_the_rules_of_their_date() -> None:
    first = datetime.fromisoformat(next(iter(DATES)))
    world(MARKET, first - timedelta(minutes=1), [{**HELD, "methodology": CLASSIC}])
    for at in DATES:
        snapshot_accept(market=MARKET, as_of=datetime.fromisoformat(at), source="tests", actor=ACTOR)
        work_through(run_start(reason=RunReason.MANUAL))
    results = list(MarginResult.objects.order_by("id"))
    assert [report_of(result)["parameters"]["version"] for result in results] == list(DATES.values())
    client, account = _client(None), Account.objects.get()
    for (at, version), stored in zip(DATES.items(), results, strict=True):
        report = client.get(f"/api/v1/accounts/{account.pk}/as-of", {"at": at}).json()
        assert report["parameters"]["version"] == version
        assert report["account"]["mmr"] == report_of(stored)["account"]["mmr"]
        assert report["account"]["mmr"] == pytest.approx(simulated(at)["account"]["mmr"], rel=1e-12)
