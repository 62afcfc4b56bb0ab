"""`liquidation_plan` as a stranger starts it: another process with an empty environment."""

import json
import subprocess
import sys
from pathlib import Path

from tests.liquidation.support import plan
from tests.margin.engine.support import PERPETUAL, book, position
from tests.support.waiting import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
DISTRESSED = book([position(PERPETUAL, 10)], balances={"USDT": 70_000})


def liquidation_plan(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command from elsewhere, with no environment at all."""
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "liquidation_plan", *map(str, arguments)],
        env={},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_plan_is_printed(tmp_path: Path) -> None:
    done = liquidation_plan(write(tmp_path / "book.json", DISTRESSED))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == plan(DISTRESSED)


def test_good_books_are_done_and_bad_ones_named(tmp_path: Path) -> None:
    good = write(tmp_path / "good.json", DISTRESSED)
    bad = write(tmp_path / "bad.json", DISTRESSED | {"methodology": "none"})
    done = liquidation_plan(bad, good, "--out", tmp_path / "plans")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{bad}: methodology: ")
    assert [file.name for file in (tmp_path / "plans").iterdir()] == ["good.json"]
    written = json.loads((tmp_path / "plans" / "good.json").read_text(encoding="utf-8"))
    assert written["outcome"] == "safe"
