"""The import contracts of pyproject.toml hold, cover what they should, and bite."""

import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("pmplatform", "accounts", "margin", "liquidation")
PURITY = "The engine is pure"
PLANNER_PURITY = "The planner is pure, too"
LAYERS = "The project composes"
MODELS = "Nobody above accounts touches its models"
INSIDE = "Inside an app"


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a tree; the report is printed unwrapped."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tree,
        env={"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source that a test may spoil."""
    for package in PACKAGES:
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    outcome = lint(CHECKOUT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    ("module", "planted", "contract"),
    [
        ("margin/engine/planted.py", "import time", PURITY),
        ("margin/engine/planted.py", "from django.conf import settings", PURITY),
        ("margin/engine/planted.py", "from margin.models import MarginRun", PURITY),
        ("liquidation/planner/planted.py", "import time", PLANNER_PURITY),
        ("liquidation/planner/planted.py", "from margin.models import MarginRun", PLANNER_PURITY),
        ("accounts/planted.py", "from margin.engine import errors", LAYERS),
        ("pmplatform/common/planted.py", "from pmplatform import settings", LAYERS),
        ("margin/planted.py", "from accounts.models import Account", MODELS),
        ("accounts/services/planted.py", "from accounts import api", INSIDE),
        ("margin/services/planted.py", "from margin import tasks", INSIDE),
    ],
)
def test_a_forbidden_import_is_found(tree: Path, module: str, planted: str, contract: str) -> None:
    (tree / module).write_text(f"{planted}\n", encoding="utf-8")
    outcome = lint(tree)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    broken = [line for line in outcome.stdout.splitlines() if line.endswith(" BROKEN")]
    assert any(line.startswith(contract) for line in broken), outcome.stdout


@pytest.mark.parametrize("package", ["margin.engine", "liquidation.planner"])
def test_every_pure_package_there_is_stands_under_a_contract_of_purity(package: str) -> None:
    covered = {
        source
        for contract in contracts()
        if contract["type"] == "forbidden" and "time" in contract["forbidden_modules"]
        for source in contract["source_modules"]
    }
    assert package in covered or find_spec(package) is None
