"""What the product imports is what a machine without the developers' tools installs."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("pmplatform", "accounts", "margin", "liquidation")
#: A plugin that only pytest loads.
PLUGIN = ROOT / "pmplatform" / "embedded" / "pytest_plugin.py"


def _imported() -> dict[str, str]:
    """Top-level packages that the product's modules import when they are loaded, with a module that does."""
    found: dict[str, str] = {}
    for app in PRODUCT:
        for path in set((ROOT / app).rglob("*.py")) - {PLUGIN}:
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.setdefault(node.module.partition(".")[0], str(path.relative_to(ROOT)))
                elif isinstance(node, ast.Import):
                    for name in node.names:
                        found.setdefault(name.name.partition(".")[0], str(path.relative_to(ROOT)))
    return {name: by for name, by in found.items() if name not in sys.stdlib_module_names | set(PRODUCT)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_import_of_the_product_is_pinned_for_those_who_run_it() -> None:
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = {_normal(name) for name in re.findall(r"^([\w.-]+)(?:\[.*\])?==", pins, flags=re.MULTILINE)}
    distributions = packages_distributions()
    missing = {
        name: by
        for name, by in _imported().items()
        if pinned.isdisjoint(_normal(distribution) for distribution in distributions.get(name, ()))
    }
    assert missing == {}
