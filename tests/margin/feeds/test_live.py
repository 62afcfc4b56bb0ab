"""Public data of venues, over ccxt and loopback: what was recorded becomes a market object, exactly."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from margin.choices import GuardKind
from margin.engine.documents.market import MarketRows, read_market
from margin.engine.documents.schema import Faults
from margin.engine.simulation import margin_report
from margin.feeds import live
from margin.feeds.live import VENUES, LiveFeed, VenueUnavailable, client_open
from margin.feeds.venues import VenueMarket, implied_rates
from margin.models import MarketGuardEvent, MarketSnapshot
from margin.parameter_files import shipped_library
from margin.services.publishing import SNAPSHOT_PUBLISHED
from pmplatform.common.models import OutboxRow
from tests.margin.desks import SWAP
from tests.margin.feeds.venue_server import NOW, RECORDED, Answers, Query, bybit, deribit, okx, serving
from tests.margin.world import world

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are absent")

MOMENT = datetime.fromtimestamp(NOW / 1_000, UTC)
COINS = ("BTC", "ETH")


def looked_at(name: str, answers: Answers) -> VenueMarket:
    with serving(answers) as url, client_open(name, url) as client:
        return LiveFeed(VENUES[name](client), COINS).read(MOMENT)


def rows_of(found: VenueMarket) -> MarketRows:
    """The market as the engine reads it: without a fault."""
    faults = Faults()
    rows = read_market(found.market, found.as_of, "market", faults)
    assert rows is not None, [str(fault) for fault in faults.found]
    return rows


def row(found: VenueMarket, name: str) -> dict[str, Any]:
    [instrument] = [row for row in found.market["instruments"] if row["id"] == name]
    return dict(instrument)


def test_okx_lists_what_it_quotes_with_its_multiplier_and_the_hour_of_expiry() -> None:
    found = looked_at("okx", okx)
    assert found.as_of == MOMENT, "the oldest message of the look"
    names = {instrument.id for instrument in rows_of(found).instruments}
    assert names == {
        "BTC-USD", "ETH-USD", "BTC-USD-SWAP", "BTC-USDT-SWAP", "ETH-USDT-SWAP",
        "BTC-USD-241220", "BTC-USD-241227", "BTC-USD-241217-92000-C", "BTC-USD-241217-92000-P",
    }  # fmt: skip
    assert row(found, "BTC-USD-241217-92000-C") == {
        "id": "BTC-USD-241217-92000-C",
        "kind": "option",
        "underlying": "BTC",
        "style": "inverse",
        "settle": "BTC",
        "contract_size": 0.01,
        "expiry": "2024-12-17T08:00:00+00:00",
        "strike": 92_000.0,
        "option_type": "call",
        "mark": 0.1319,
        "mark_iv": 0.53,
        "forward": 92_150.5,
    }
    assert row(found, "ETH-USDT-SWAP")["contract_size"] == 0.1
    assert row(found, "BTC-USD-SWAP")["contract_size"] == 100.0
    assert found.market["fx"] == {"USDT": 0.9995, "USDC": 1.0001}
    assert found.market["index"] == {
        "BTC-USD": 106_000.1, "BTC-USDT": 106_053.1, "BTC-USDC": 105_989.5, "ETH-USD": 4_000.2,
    }  # fmt: skip


def test_bybit_counts_coins_and_dollars_and_its_perpetuals_never_expire() -> None:
    found = looked_at("bybit", bybit)
    rows = {instrument.id: instrument for instrument in rows_of(found).instruments}
    assert set(rows) == {"BTCUSD", "BTCUSDT", "ETHUSDT", "ETH-26JUN26-16000-P"}
    assert {name: (row.style.value if row.style else "", row.settle) for name, row in rows.items()} == {
        "BTCUSD": ("inverse", "BTC"),
        "BTCUSDT": ("linear", "USDT"),
        "ETHUSDT": ("linear", "USDT"),
        "ETH-26JUN26-16000-P": ("linear", "USDC"),
    }
    assert {row.contract_size for row in rows.values()} == {1.0}
    assert rows["BTCUSDT"].expiry is None
    option = rows["ETH-26JUN26-16000-P"]
    assert option.expiry == datetime.fromtimestamp(1_780_005_000, UTC)
    assert (option.strike, option.mark_iv, option.forward) == (16_000.0, 0.7412, 4_123.45)
    rate = 106_000.1 / 106_053.1
    assert found.market["fx"] == {"USDT": rate}
    assert found.market["index"]["ETH-USD"] == 4_002.2 * rate, "implied where there is no inverse contract"


def test_deribit_gives_volatility_in_per_cent_and_combinations_are_left_out() -> None:
    found = looked_at("deribit", deribit)
    rows = {instrument.id: instrument for instrument in rows_of(found).instruments}
    assert set(rows) == {"BTC-PERPETUAL", "BTC-27DEC24", "BTC-27DEC24-100000-C"}
    assert rows["BTC-PERPETUAL"].expiry is None, "the venue says the year 3000"
    option = rows["BTC-27DEC24-100000-C"]
    assert option.expiry == datetime.fromtimestamp(1_735_300_800, UTC)
    assert (option.contract_size, option.mark_iv, option.forward) == (1.0, 0.553, 106_512.4)
    assert rows["BTC-27DEC24"].contract_size == 10.0
    assert found.market["fx"] == pytest.approx({"USDT": 0.99950025, "USDC": 1.00010001}, rel=1e-7)


def test_what_has_expired_by_the_venues_own_clock_is_left_out() -> None:
    def later(path: str, query: Query) -> Any:
        answer = okx(path, query)
        for quoted in answer["data"]:
            if "ts" in quoted:
                quoted["ts"] = str(NOW + 86_400_000)
        return answer

    names = [instrument.id for instrument in rows_of(looked_at("okx", later)).instruments]
    assert not [name for name in names if "241217" in name]


def test_rates_are_implied_by_a_coins_two_indices_where_it_has_both() -> None:
    assert implied_rates({"ETH-USD": 2_000.0, "ETH-USDT": 2_500.0, "BTC-USDC": 1.0}) == {"USDT": 0.8}


def test_a_book_is_margined_on_what_a_venue_says() -> None:
    found = looked_at("okx", okx)
    account = {
        "id": "A",
        "balances": {"BTC": "2"},
        "positions": [
            {"instrument": SWAP, "quantity": "-100", "entry_price": "106000"},
            {"instrument": "BTC-USD-241217-92000-C", "quantity": "50", "entry_price": "0.13"},
        ],
    }
    book = {"as_of": found.as_of.isoformat(), "methodology": "okx-classic", "parameters": None}
    report = margin_report({**book, "market": found.market, "account": account}, shipped_library())
    deltas = {unit["unit"]: unit["delta"] for unit in report["risk_units"]}
    assert report["account"]["mmr"] > 0
    assert sum(deltas.values()) == pytest.approx(-0.735, abs=0.005), "a coin short, half of one in calls"


@pytest.mark.parametrize(
    "nonsense",
    [{"code": "50001", "msg": "down", "data": []}, {"code": "0", "data": [{}]}, []],
    ids=["error", "empty row", "list"],
)
def test_a_venue_that_answers_nonsense_is_unavailable(nonsense: Any) -> None:
    with pytest.raises(VenueUnavailable):
        looked_at("okx", lambda path, query: nonsense)


def test_without_ccxt_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ccxt", None)
    with pytest.raises(CommandError, match="install the extra `venues`"):
        call_command("feed", "okx", "--ticks=1")


def fed(*options: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("feed", *options, "--every=0", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_the_command_publishes_snapshot_after_snapshot() -> None:
    with serving(okx) as url:
        out, err = fed("okx", "--ticks=2", f"--url={url}")
    assert [line.split(":")[1].split(" market")[0] for line in out.splitlines()] == [" 9 instruments"] * 2
    assert not err
    first, second = MarketSnapshot.objects.order_by("sequence")
    assert (first.source, first.as_of, second.unchanged_since) == ("okx", MOMENT, MOMENT)
    assert OutboxRow.objects.filter(topic=SNAPSHOT_PUBLISHED).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_refused_or_missing_answer_is_said_and_the_next_look_tries_again() -> None:
    held: dict[str, Any] = {"id": "A", "methodology": "okx-2025", "balances": {"USDT": "1000"}}
    held["positions"] = [{"instrument": "ETH-USDT-SWAP", "quantity": "1", "entry_price": "4000"}]
    with serving(okx) as url, client_open("okx", url) as client:
        found = LiveFeed(VENUES["okx"](client), COINS).read(MOMENT)
    world(found.market, found.as_of - timedelta(minutes=1), [held])
    answers = iter(["down", "lacking"])
    state = {"now": ""}

    def failing(path: str, query: Query) -> Any:
        if path.endswith("/market/index-tickers") and query["quoteCcy"] == "USD":
            state["now"] = next(answers, "well")
        if state["now"] == "down":
            return {"code": "50001", "msg": "Service temporarily unavailable", "data": []}
        answer = okx(path, query)
        if state["now"] == "lacking":
            answer["data"] = [quoted for quoted in answer["data"] if quoted["instId"] != "ETH-USDT-SWAP"]
        return answer

    with serving(failing) as url:
        out, err = fed("okx", "--ticks=3", f"--url={url}")
    down, lacking = err.splitlines()
    assert "temporarily unavailable" in down
    assert "market.instruments: lacks ETH-USDT-SWAP, which is in use" in lacking
    assert len(out.splitlines()) == 1
    event = MarketGuardEvent.objects.get(kind=GuardKind.REFUSED)
    assert (event.source, event.as_of) == ("okx", MOMENT)


@pytest.mark.django_db(transaction=True)
def test_a_feed_of_which_nothing_was_accepted_has_failed() -> None:
    with (
        serving(lambda path, query: []) as url,
        pytest.raises(CommandError, match="no snapshot was accepted"),
    ):
        fed("okx", "--ticks=1", f"--url={url}")
