"""`make audit`: what could not be asked is not audited, and no success."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.docker.composition import CHECKOUT

NOBODY = "http://127.0.0.1:9"


def audit(*words: str, **environment: str) -> tuple[bool, str]:
    """Whether `make audit` succeeds, and what it says; the environment it runs in is not made anew."""
    done = subprocess.run(
        ["make", "--assume-old=.venv/dev.stamp", "audit", *words],
        cwd=CHECKOUT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout


def test_without_its_service_it_says_so_and_fails() -> None:
    proxies = {"HTTPS_PROXY": NOBODY, "https_proxy": NOBODY, "NO_PROXY": "", "no_proxy": ""}
    succeeds, said = audit(**proxies)
    assert not succeeds
    assert "NOT AUDITED" in said
    assert "audited:" not in said


@pytest.mark.parametrize(
    ("finds", "status", "succeeds", "says"),
    [("", 0, True, "audited: nothing known"), ("PYSEC-1", 1, False, "PYSEC-1")],
)
def test_what_it_has_learned_is_told_and_a_finding_fails(
    tmp_path: Path, finds: str, status: int, succeeds: bool, says: str
) -> None:
    """By a program in pip-audit's place, since what is known of packages changes by the day."""
    program = tmp_path / "pip-audit"
    program.write_text(
        f"#!/bin/sh\nwhile [ $1 != --output ]; do shift; done\nprintf %s '{finds}' >$2\nexit {status}\n",
        encoding="ascii",
    )
    program.chmod(0o755)
    outcome = audit(f"BIN={tmp_path}")
    assert (outcome[0], says in outcome[1], "NOT AUDITED" in outcome[1]) == (succeeds, True, False)
