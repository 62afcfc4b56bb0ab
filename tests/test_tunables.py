"""Every limit of the platform: set by its variable, and on one page of the documentation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from pmplatform import tunables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"


def test_the_documentation_has_every_limit_with_its_default_and_meaning() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for tunable in tunables.ALL:
        assert f"| `{tunable.name}` | {tunable.default_text} | {tunable.meaning} |" in page


def test_the_documentation_has_every_variable_that_the_settings_know() -> None:
    source = (PAGE.parents[1] / "pmplatform" / "settings.py").read_text(encoding="utf-8")
    known = set(re.findall(r'"(PM_[A-Z_]+)"', source)) | tunables.NAMES
    documented = set(re.findall(r"`(PM_[A-Z_]+)`", PAGE.read_text(encoding="utf-8")))
    assert {name for name in known if not name.endswith("_FILE")} == documented - {"PM_RETIREMENTS"}


@pytest.mark.parametrize("tunable", tunables.ALL, ids=lambda tunable: tunable.name)
def test_a_limit_of_the_settings_is_the_one_that_is_shown(tunable: tunables.Tunable[float]) -> None:
    assert getattr(settings, tunable.name) == tunable.value
    assert tunable.is_default == (tunable.name not in os.environ)


def test_a_variable_changes_its_limit_and_nonsense_is_refused() -> None:
    program = "from pmplatform import tunables; print(tunables.STABLE_JUMP.value_text)"

    def asked(value: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PM_STABLE_JUMP": value},
            cwd=PAGE.parents[1],
            capture_output=True,
            text=True,
            check=False,
        )

    assert asked("0.25").stdout.strip() == "0.25"
    assert "PM_STABLE_JUMP must be a positive number" in asked("ten").stderr
