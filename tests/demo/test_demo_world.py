"""The demo world is reproducible, moves, and reads as valid book documents with an interesting spread."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from margin.engine.documents.book import read_book
from margin.engine.parameters.library import Library, read_version
from margin.engine.simulation import margin_report
from pmplatform.demo.accounts import DemoAccount, demo_accounts
from pmplatform.demo.expiries import Ladder
from pmplatform.demo.market import DemoMarket
from pmplatform.demo.portfolios import AccountKind

AS_OF = datetime(2025, 1, 22, 12, tzinfo=UTC)
PARAMETERS = Path(__file__).resolve().parents[2] / "margin/parameters/okx-2025.json"
DAY = 86_400.0


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.of(read_version(version) for version in json.loads(PARAMETERS.read_text())["versions"])


@pytest.fixture(scope="module")
def market() -> dict[str, Any]:
    return DemoMarket(7, AS_OF).document()


def book(market: dict[str, Any], account: DemoAccount) -> dict[str, Any]:
    head = {"as_of": AS_OF.isoformat(), "methodology": account.document["methodology"], "parameters": None}
    return head | {"market": market, "account": account.book_account}


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def marks(market: dict[str, Any]) -> dict[str, float]:
    return {row["id"]: row["mark"] for row in market["instruments"]}


def test_every_kind_reads_as_a_book_document(market: dict[str, Any], library: Library) -> None:
    accounts = demo_accounts(market, 40, seed=3)
    assert {account.kind for account in accounts} == set(AccountKind)
    for account in accounts:
        assert read_book(book(market, account), library).account_rows.positions
    assert [account.document["id"] for account in accounts][::39] == ["DEMO-0001", "DEMO-0040"]


def test_same_seed_gives_the_same_bytes(market: dict[str, Any]) -> None:
    first, second, other = DemoMarket(7, AS_OF), DemoMarket(7, AS_OF), DemoMarket(8, AS_OF)
    assert canonical(first.step(60.0)) == canonical(second.step(60.0)) != canonical(other.step(60.0))
    made = [canonical([a.document for a in demo_accounts(market, 30, seed)]) for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


def test_a_step_keeps_the_listing_and_moves_the_prices() -> None:
    market = DemoMarket(7, AS_OF)
    before, after = marks(market.document()), marks(market.step(60.0))
    assert list(before) == list(after)
    assert all(
        before[f"{coin}-USDT-SWAP"] != after[f"{coin}-USDT-SWAP"] for coin in ("BTC", "ETH", "SOL", "DOGE")
    )
    assert (market.as_of - AS_OF).total_seconds() == 60.0


def test_what_expires_goes_with_a_settlement_price_and_the_next_expiry_comes() -> None:
    market = DemoMarket(7, AS_OF)
    before, after = market.document(), market.step(DAY)
    gone, come = set(marks(before)) - set(marks(after)), set(marks(after)) - set(marks(before))
    assert gone and all("-250123-" in name for name in gone)
    assert come and all("-250125-" in name for name in come)
    assert set(market.settlement) == gone
    first, last = (document["index"]["BTC-USD"] for document in (before, after))
    [price] = {price for name, price in market.settlement.items() if name.startswith("BTC-USD-")}
    assert price == pytest.approx((first + last) / 2.0, rel=1e-8)
    market.step(60.0)
    assert market.settlement == {}


def test_over_two_months_every_instrument_stays_until_it_expires_and_the_ladder_stays_full() -> None:
    market = DemoMarket(7, AS_OF)
    rows = {row["id"]: row for row in market.document()["instruments"]}
    for _ in range(120):
        listed = {row["id"]: row for row in market.step(DAY / 2)["instruments"]}
        missing = [row for name, row in rows.items() if name not in listed]
        assert all(datetime.fromisoformat(row["expiry"]) <= market.as_of for row in missing)
        assert {row["id"] for row in missing} == set(market.settlement)
        expiries = {row["expiry"] for row in listed.values() if row["kind"] == "option"}
        assert {
            expiry.strftime("%Y-%m-%dT%H:%M:%SZ") for expiry in Ladder.after(market.as_of).every
        } <= expiries
        rows = listed


def test_a_market_read_back_from_its_document_is_the_same_and_moves_on() -> None:
    market = DemoMarket(7, AS_OF)
    for _ in range(5):
        document = market.step(DAY)
    again = DemoMarket.continued(7, market.as_of, document)
    before, after = marks(document), marks(again.document())
    assert list(before) == list(after)
    assert after == pytest.approx(before, rel=1e-4, abs=1e-6)
    assert again.document()["index"] == pytest.approx(document["index"], rel=1e-8)
    moved = marks(again.step(5.0))
    assert list(moved) == list(before)
    assert moved["BTC-USDT-SWAP"] == pytest.approx(before["BTC-USDT-SWAP"], rel=0.01)


@pytest.mark.parametrize("day", range(1, 29))
def test_the_ladder_is_full_on_every_day(day: int) -> None:
    as_of = datetime(2025, 3, day, 8, tzinfo=UTC)
    ladder = Ladder.after(as_of)
    assert len(set(ladder.every)) == 9
    assert min(ladder.every) > as_of


def test_marks_obey_put_call_parity(market: dict[str, Any]) -> None:
    rows = {row["id"]: row for row in market["instruments"] if row["kind"] == "option"}
    for name, call in rows.items():
        if call["option_type"] == "call":
            unit = market["index"]["{underlying}-USD".format(**call)] if call["style"] == "inverse" else 1.0
            spread = (call["mark"] - rows[f"{name[:-1]}P"]["mark"]) * unit
            assert spread == pytest.approx(call["forward"] - call["strike"], abs=2e-8 * unit + 1e-7)


def test_some_accounts_warn_and_a_few_are_liquidated(market: dict[str, Any], library: Library) -> None:
    accounts = demo_accounts(market, 100, seed=3)
    statuses = Counter(margin_report(book(market, a), library)["account"]["status"] for a in accounts)
    assert 12 <= statuses["warning"] <= 28
    assert 1 <= statuses["liquidation"] <= 6


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_time_does_not_stand_still(seconds: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        DemoMarket(7, AS_OF).step(seconds)
