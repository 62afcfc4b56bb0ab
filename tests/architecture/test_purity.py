"""The pure packages load without anything that could give them a clock, a database or a queue."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
# The planner is tested from the day it exists; that it then has a contract, test_contracts sees to.
PURE_PACKAGES = ("margin.engine", *(name for name in ("liquidation.planner",) if find_spec(name)))
# A name that maps to None is one that `import` refuses.
IMPORT_ALL = """
import importlib, pkgutil, sys
refused = "django celery rest_framework redis psycopg kombu structlog pmplatform accounts".split()
sys.modules.update(dict.fromkeys(refused))
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


@pytest.mark.parametrize("package", PURE_PACKAGES)
def test_every_module_of_a_pure_package_loads_on_its_own(package: str) -> None:
    outcome = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, package],
        cwd=CHECKOUT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert int(outcome.stdout) > 1
