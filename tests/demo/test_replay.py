"""A recorded crash on the demo market: read, turned into moves, and worked through the real queue."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from liquidation.models import LiquidationCase, LiquidationStep
from margin.selectors import snapshot_latest, snapshot_market
from pmplatform.demo.market import DemoMarket
from pmplatform.demo.replay import books
from pmplatform.demo.replay.course import IV_PER_DRAWDOWN, moves, thinned
from pmplatform.demo.replay.recording import Bar, RecordingFault, read_bars
from tests.liquidation.queue.support import SWAP, directional, stored

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "../shared/data"
START = datetime(2020, 3, 12, tzinfo=UTC)


def bars(*prices: dict[str, float]) -> list[Bar]:
    return [Bar(START + timedelta(hours=number), each) for number, each in enumerate(prices)]


def recording(path: Path, closes: list[float]) -> Path:
    """A file of hourly bars of BTC."""
    rows = [
        f"{START + timedelta(hours=n):%Y-%m-%dT%H:%M:%SZ},BTCUSD,{close}" for n, close in enumerate(closes)
    ]
    path.write_text("\n".join(["ts_utc,symbol,close", *rows]), encoding="utf-8")
    return path


def test_bars_of_one_symbol_a_row_are_put_together(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text(
        "ts_utc,symbol,open,close\n2020-03-01T00:00:00Z,BTCUSD,1,8000\n2020-03-01T00:00:00Z,ETHUSDT,1,200\n"
        "2020-03-01T01:00:00Z,BTCUSD,1,8100\n2020-03-01T01:00:00Z,XRPUSD,1,1\n",
        encoding="utf-8",
    )
    assert [bar.prices for bar in read_bars(file)] == [
        {"BTC": 8000.0, "ETH": 200.0},
        {"BTC": 8100.0, "ETH": 200.0},
    ]


def test_what_a_minute_lacks_is_carried_forward(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv.gz"
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.write("ts_utc,a_usdcusd_close,a_btcusd_high,a_btcusd_close,b_btcusd_close\n")
        out.write("2023-03-10T00:00:00Z,,9,8,\n2023-03-10T00:01:00Z,0.99,9,,7\n2023-03-10T00:02:00Z,,9,6,5\n")
    found = read_bars(file)
    assert [bar.prices for bar in found] == [{"USDC": 0.99, "BTC": 7.0}, {"USDC": 0.99, "BTC": 6.0}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "ts_utc,symbol,close\n2020-03-01T00:00:00Z,BTCUSD,1\n",
        "ts_utc,symbol,close\n2020-03-01T00:00:00,BTCUSD,1\n2020-03-01T01:00:00,BTCUSD,1\n",
        "ts_utc,symbol,close\n2020-03-01T00:00:00Z,BTCUSD,nan\n",
        "ts_utc,symbol,close\n2020-03-01T00:00:00Z,ETHUSD,1\n2020-03-01T01:00:00Z,ETHUSD,1\n",
    ],
)
def test_what_is_no_recording_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingFault):
        read_bars(file)
    with pytest.raises(CommandError) as refusal:
        call_command("replay", str(file))
    assert refusal.value.returncode == 2


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded data are not here")
def test_every_recorded_crash_can_be_read() -> None:
    covid = read_bars(RECORDED / "crash_replay/hourly_2020-03_covid.csv")
    selloff = read_bars(RECORDED / "crash_replay/hourly_2026-02_selloff.csv")
    depeg = read_bars(RECORDED / "usdc_depeg/usdc_depeg_1m_20230310_20230314.csv.gz")
    assert [len(found) for found in (covid, selloff, depeg)] == [744, 408, 7200]
    assert set(selloff[0].prices) == {"BTC", "ETH", "SOL"}
    assert min(bar.prices["USDC"] for bar in depeg) == 0.874


def test_a_coin_without_a_series_moves_with_btc_and_volatility_with_the_drawdown() -> None:
    down, up = moves(bars({"BTC": 100, "ETH": 10}, {"BTC": 80, "ETH": 12}, {"BTC": 100, "ETH": 12}))
    assert (down.factors["BTC"], down.factors["DOGE"], down.factors["ETH"]) == (0.8, 0.8, 1.2)
    # A fifth below its highest price: the volatility is exp(2 * 0.2) times its own, and its own again above.
    assert down.iv_rises["BTC"] == pytest.approx(IV_PER_DRAWDOWN * 0.2)
    assert down.iv_rises["ETH"] == 0.0
    assert down.iv_rises["BTC"] + up.iv_rises["BTC"] == pytest.approx(0.0)
    assert (up.recorded, up.seconds) == (START + timedelta(hours=2), 3_600.0)


def test_snapshots_between_two_bars_divide_their_return_and_time() -> None:
    found = list(moves(bars({"BTC": 100}, {"BTC": 64}), between=1))
    assert [move.factors["BTC"] for move in found] == [pytest.approx(0.8)] * 2
    assert [move.seconds for move in found] == [1_800.0, 1_800.0]
    assert [bar.prices["BTC"] for bar in thinned(bars(*({"BTC": float(n)} for n in range(1, 7))), 4)] == [
        1,
        5,
        6,
    ]


def test_a_driven_market_does_what_the_move_says_and_walks_nowhere() -> None:
    market = DemoMarket(7, START.replace(year=2025))
    before = market.document()
    after = market.step(60.0, {"BTC": 0.8, "USDC": 0.9}, {"BTC": 0.4})
    assert after["fx"]["USDC"] == pytest.approx(0.9)
    assert after["index"]["BTC-USD"] == pytest.approx(0.8 * before["index"]["BTC-USD"])
    assert after["index"]["BTC-USDC"] == pytest.approx(0.8 / 0.9 * before["index"]["BTC-USDC"])
    assert after["index"]["ETH-USDT"] == before["index"]["ETH-USDT"]
    ivs = [
        {row["id"]: row["mark_iv"] for row in document["instruments"] if row["kind"] == "option"}
        for document in (before, after)
    ]
    ether = [name for name in ivs[0] if name.startswith("ETH")]
    assert [ivs[0][name] for name in ether] == pytest.approx([ivs[1][name] for name in ether], rel=1e-3)
    assert max(ivs[1].values()) > max(ivs[0].values())


@pytest.mark.django_db(transaction=True)
def test_what_changes_without_a_reason_is_seen() -> None:
    [account] = stored(directional())
    newest = snapshot_latest()
    assert newest is not None
    prices = books.Prices(snapshot_market(newest.pk))
    before = books.accounts_hold([account.pk], prices)
    # 70,000, and ten coins bought at the mark.
    assert before == {"cash:USDT": 70_000, f"contracts:{SWAP}": 10}
    poorer = before | {"cash:USDT": before["cash:USDT"] - Decimal("0.01")}
    assert books.unexplained_usd(before, before, {}, prices) == 0
    assert books.unexplained_usd(before, poorer, {}, prices) == Decimal("0.01")
    assert books.unexplained_usd(before, poorer, {"cash:USDT": Decimal("-0.01")}, prices) == 0
    fewer = before | {f"contracts:{SWAP}": before[f"contracts:{SWAP}"] - 1}
    assert books.unexplained_usd(before, fewer, {}, prices) == 100_000


@pytest.mark.django_db(transaction=True)
def test_a_crash_is_worked_through_and_everything_conserved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # What over-levered accounts survive, then what they do not.
    file = recording(tmp_path / "crash.csv", [100, 96, 92, 90, 75, 60, 58])
    plot = tmp_path / "crash.svg"
    call_command("replay", str(file), "--here", "--accounts=40", f"--plot={plot}")
    printed = capsys.readouterr().out
    assert "BTC at its lowest: 58.0% of its start" in printed
    assert "closed cases that do not add up: 0" in printed
    outcomes = set(LiquidationCase.objects.values_list("outcome", flat=True))
    assert outcomes == {"safe", "takeover"}
    assert not LiquidationCase.objects.exclude(residuals={}).exists()
    assert LiquidationStep.objects.filter(kind="close", state="done").exists()
    assert plot.read_text(encoding="utf-8").count("<svg") == 4  # Three panels in a drawing.
    with pytest.raises(CommandError, match="not empty"):
        call_command("replay", str(file), "--here", "--accounts=1", f"--plot={plot}")


def test_a_file_is_played_in_a_database_of_its_own(tmp_path: Path) -> None:
    file = recording(tmp_path / "short.csv", [100, 99, 98])
    words = [sys.executable, str(ROOT / "manage.py"), "replay", str(file), "--accounts=5"]
    done = subprocess.run(words, cwd=tmp_path, env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, "Drawn in replay-short.svg" in done.stdout) == (0, True), done.stderr
    assert (tmp_path / "replay-short.svg").exists()
