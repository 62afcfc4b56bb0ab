"""The table of what shows what names tests that are there."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", (HERE / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_of_the_table_is_there(file: str, name: str) -> None:
    assert f"\ndef {name}(" in (HERE / file).read_text(encoding="utf-8")


def test_every_test_of_a_fault_is_in_the_table() -> None:
    named = {file for file, _ in NAMED}
    assert {f"faults/{file.name}" for file in (HERE / "faults").glob("test_*.py")} <= named
