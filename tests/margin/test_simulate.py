"""The command as a stranger starts it: another process with an empty environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
CASE = json.loads((ROOT / "tests/cases/okx-2025-position-builder.json").read_text(encoding="utf-8"))
DEEP = "[" * 40 + "]" * 40
BAD_TEXTS = [
    ('{"as_of": NaN}', "as_of"),
    ('{"account": {"id": "A", "id": "B"}}', "account.id"),
    ('{"market": {"index": {"BTC-USD": 1e400}}}', "market.index.BTC-USD"),
    ('{"market": {"fx": {"USDT": -Infinity}}}', "market.fx.USDT"),
    ('{"account": ', "account"),
    ("[]", "document"),
    ("", "document"),
    (DEEP, "[0]" * 32),
]


def simulate(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command from elsewhere, with no environment at all."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "simulate", *map(str, arguments)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def write(path: Path, document: Any) -> Path:
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


def reports(text: str) -> list[Any]:
    """The JSON documents that stand one after the other in a text."""
    decoder, found = json.JSONDecoder(), []
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.json", CASE["book"])


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    account = CASE["book"]["account"] | {"balances": {"USDT": "1 000"}}
    return write(tmp_path / "bad.json", CASE["book"] | {"account": account})


def test_report_on_standard_output(good: Path) -> None:
    done = simulate(good)
    assert (done.returncode, done.stderr) == (0, "")
    (report,) = reports(done.stdout)
    for name, value in CASE["expected"]["account"].items():
        assert report["account"][name] == pytest.approx(value, rel=CASE["relative_tolerance"])
    for unit in report["risk_units"]:
        expected = CASE["expected"]["risk_units"][unit["unit"]]
        for name, value in expected["components"].items():
            assert unit["components"][name] == pytest.approx(value, rel=CASE["relative_tolerance"], abs=1e-9)


def test_reports_stand_in_the_order_of_the_books(good: Path, tmp_path: Path) -> None:
    second = write(
        tmp_path / "a.json", CASE["book"] | {"account": CASE["book"]["account"] | {"id": "second"}}
    )
    done = simulate(good, second)
    assert [report["account"]["id"] for report in reports(done.stdout)] == ["published", "second"]


def test_bad_book_is_one_line_and_the_others_are_done(good: Path, bad: Path) -> None:
    done = simulate(bad, good)
    assert done.returncode == 2
    assert len(reports(done.stdout)) == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{bad}: account.balances.USDT: must be a decimal number")


def test_all_faults_of_a_book_share_its_line(tmp_path: Path) -> None:
    account = CASE["book"]["account"] | {"balances": {"USDT": "x", "BTC": True}, "note": "\n"}
    done = simulate(write(tmp_path / "bad.json", CASE["book"] | {"account": account}))
    (line,) = done.stderr.splitlines()
    assert all(
        f"{path}: " in line for path in ("account.balances.USDT", "account.balances.BTC", "account.note")
    )


def test_bad_json_names_the_path(tmp_path: Path) -> None:
    books = [write(tmp_path / f"{i}.json", text) for i, (text, _) in enumerate(BAD_TEXTS)]
    done = simulate(*books)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(books)
    for line, book, (_, path) in zip(lines, books, BAD_TEXTS, strict=True):
        assert line.startswith(f"{book}: {path}: "), line


def test_missing_file_is_bad_input(tmp_path: Path, good: Path) -> None:
    done = simulate(tmp_path / "absent.json", good)
    assert done.returncode == 2
    assert len(reports(done.stdout)) == 1
    assert done.stderr.startswith(f"{tmp_path / 'absent.json'}: document: cannot be read")


def test_out_writes_one_file_per_good_book(good: Path, bad: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports" / "today"
    done = simulate(good, bad, "--out", out)
    assert (done.returncode, done.stdout) == (2, "")
    assert [file.name for file in out.iterdir()] == ["good.json"]
    assert json.loads((out / "good.json").read_text(encoding="utf-8")) == reports(simulate(good).stdout)[0]


def test_out_replaces_an_older_report(good: Path, tmp_path: Path) -> None:
    out = tmp_path / "reports"
    out.mkdir()
    write(out / "good.json", "old")
    assert simulate(good, "--out", out).returncode == 0
    assert json.loads((out / "good.json").read_text(encoding="utf-8"))["methodology"] == "okx-2025"


def test_out_never_overwrites_a_book(good: Path) -> None:
    before = good.read_bytes()
    done = simulate(good, "--out", good.parent)
    assert done.returncode == 2
    assert good.read_bytes() == before


def test_out_that_cannot_be_written_fails(good: Path) -> None:
    assert simulate(good, "--out", good / "below").returncode == 1


def test_explain_adds_shares_to_the_report(good: Path) -> None:
    (plain,), (explained,) = (reports(simulate(good, *more).stdout) for more in ([], ["--explain"]))
    shares = explained.pop("explain")
    assert explained == plain
    for unit in plain["risk_units"]:
        entry = shares[unit["unit"]]["mmr"]
        assert sum(row["share"] for row in entry["shares"]) == pytest.approx(unit["mmr"], rel=1e-9)


def test_help_and_usage() -> None:
    assert "BOOK.json" in simulate("--help").stdout
    assert simulate().returncode == 2
