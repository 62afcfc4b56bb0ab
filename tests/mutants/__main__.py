"""Try a sample of mutants, going on where an earlier run stopped: `python -m tests.mutants`."""

import os
import subprocess
import sys
from pathlib import Path

from tests.mutants.sampling import KILLED, kill_rates, read_verdicts, sample

_FOLDER = Path("mutants")
_GOAL = 0.85
# mutmut makes its mutants only when it also tries some: these are few.
_FEW = "margin.engine.scenarios.*"


def _mutmut(*names: str) -> None:
    subprocess.run([sys.executable, "-m", "mutmut", "run", "--max-children", "1", *names], check=True)


def main() -> int:
    """Try what of the sample has no verdict yet, print the rates and the survivors; 1 below the goal."""
    seed, size = int(os.environ.get("MUTANTS_SEED", "1")), int(os.environ.get("MUTANTS", "800"))
    if not read_verdicts(_FOLDER):
        _mutmut(_FEW)
    verdicts = read_verdicts(_FOLDER)
    chosen = sample(verdicts, seed, size)
    if waiting := [name for name in chosen if verdicts[name] is None]:
        _mutmut(*waiting)
        verdicts = read_verdicts(_FOLDER)
    tried = {name: verdicts[name] for name in chosen}
    rates = kill_rates(tried)
    lines = [f"{killed:4} of {of:4}  {module}" for module, (killed, of) in rates.items()]
    lines += [f"not killed (exit code {code}): {name}" for name, code in tried.items() if code not in KILLED]
    all_killed, all_tried = (sum(column) for column in zip(*rates.values(), strict=True))
    lines.append(f"{all_killed} of {all_tried} mutants killed ({all_killed / all_tried:.1%}); seed {seed}")
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if all_killed >= _GOAL * all_tried else 1


if __name__ == "__main__":
    sys.exit(main())
