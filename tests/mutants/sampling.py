"""A sample of mutmut's mutants by seed, and how many of it the tests have killed."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

# mutmut's exit codes for a mutant under which a test failed (pytest's 1, 3) or ran out of its time.
KILLED = frozenset({1, 3, 24, 36, 152, 255, -24})


def read_verdicts(folder: Path) -> dict[str, int | None]:
    """Every mutant that mutmut has made in `folder`, with its exit code; None while it has not been tried."""
    verdicts: dict[str, int | None] = {}
    for path in sorted(folder.rglob("*.py.meta")):
        verdicts.update(json.loads(path.read_text())["exit_code_by_key"])
    return verdicts


def sample(names: Iterable[str], seed: int, size: int) -> list[str]:
    """The `size` names that come first in the order of the seed.

    A larger sample contains every smaller one, and a mutant keeps its place when others come or go: what has
    been tried stays tried.
    """
    return sorted(names, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())[:size]


def kill_rates(verdicts: Mapping[str, int | None]) -> dict[str, tuple[int, int]]:
    """By module: how many of the tried mutants were killed, and how many were tried."""
    killed, tried = Counter[str](), Counter[str]()
    for name, code in verdicts.items():
        if code is not None:
            module = name.rpartition(".")[0]
            tried[module] += 1
            killed[module] += code in KILLED
    return {module: (killed[module], tried[module]) for module in sorted(tried)}
