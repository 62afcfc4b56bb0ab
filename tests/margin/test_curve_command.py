"""`curve` and `simulate --compare` in another process with an empty environment."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.margin.engine.support import PERPETUAL, book, position, report
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
SHORT = book([position(PERPETUAL, -3)], balances={"USDT": 100_000})


def run(command: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command from elsewhere, with no environment at all."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), command, *map(str, arguments)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.fixture
def short(tmp_path: Path) -> Path:
    file = tmp_path / "short.json"
    file.write_text(json.dumps(SHORT), encoding="utf-8")
    return file


def test_the_curve_of_a_short_position_has_one_price_of_liquidation_above(short: Path) -> None:
    done = run("curve", short)
    assert (done.returncode, done.stderr) == (0, "")
    curve = json.loads(done.stdout)
    assert (curve["coin"], curve["axis"], len(curve["points"])) == ("BTC", "price", 61)
    (price,) = curve["liquidation_prices"]
    assert 100_000 < price < 133_333
    (now,) = [point for point in curve["points"] if point["move"] == 0.0]
    assert now["mmr"] == report(SHORT)["account"]["mmr"]


def test_coin_and_axis_are_chosen(short: Path) -> None:
    curve = json.loads(run("curve", short, "--coin", "BTC", "--axis", "vol").stdout)
    assert (curve["axis"], curve["liquidation_prices"]) == ("vol", [])


def test_bad_input_is_one_line_with_its_path(short: Path, tmp_path: Path) -> None:
    done = run("curve", short, "--coin", "DOGE")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [f"{short}: coin: the market has no index DOGE-USD"]
    absent = run("curve", tmp_path / "absent.json")
    assert (absent.returncode, absent.stderr.count("document: cannot be read")) == (2, 1)
    assert run("curve", short, "--axis", "up").returncode == 2


def test_simulate_adds_the_comparison_when_asked(short: Path) -> None:
    done = run("simulate", short, "--compare")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    comparison = answer.pop("compare")
    assert answer == report(SHORT)
    assert comparison["okx-2025"] == answer["account"]
    assert comparison["saving"]["okx-2025"]["mmr"] == comparison["standard"]["mmr"] - answer["account"]["mmr"]
