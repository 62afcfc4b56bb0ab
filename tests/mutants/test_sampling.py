"""The sample is the seed's alone, and only a mutant that a test has failed counts as killed."""

import json
from pathlib import Path

from tests.mutants.sampling import kill_rates, read_verdicts, sample

NAMES = [f"margin.engine.black76.x_price__mutmut_{number}" for number in range(1, 201)]


def test_a_larger_sample_contains_the_smaller_whatever_the_order_of_the_names() -> None:
    small = sample(NAMES, seed=1, size=20)
    assert len(set(small)) == 20
    assert sample(reversed(NAMES), seed=1, size=50)[:20] == small
    assert set(sample(NAMES, seed=2, size=20)) != set(small)
    assert sorted(sample(NAMES, seed=1, size=1_000)) == sorted(NAMES)


def test_a_mutant_that_goes_leaves_the_others_in_place() -> None:
    first, *others = sample(NAMES, seed=1, size=20)
    assert sample([name for name in NAMES if name != first], seed=1, size=19) == others


def test_survivors_and_mutants_without_a_test_are_not_killed(tmp_path: Path) -> None:
    module = tmp_path / "margin" / "engine"
    module.mkdir(parents=True)
    # 1: a test failed; 36: out of its time; 0: all passed; 33: no test comes there; None: not tried yet.
    codes = dict(zip(NAMES, (1, 36, 0, 33, None), strict=False))
    (module / "black76.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    assert read_verdicts(tmp_path) == codes
    assert kill_rates(codes) == {"margin.engine.black76": (2, 4)}
