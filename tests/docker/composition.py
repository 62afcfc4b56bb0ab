"""The composition as the real Compose reads it."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
DOCKER = CHECKOUT / "docker"
BIN = Path(sys.executable).parent
PLATFORM_IMAGE = "portfolio-margin"


@cache
def composition() -> dict[str, Any]:
    """Anchors and merges resolved, variables at their defaults."""
    outcome = subprocess.run(
        [BIN / "docker-compose", "--file", DOCKER / "compose.yaml", "config", "--format", "json"],
        env={"HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stderr == ""
    return dict(json.loads(outcome.stdout))


def services() -> dict[str, dict[str, Any]]:
    return dict(composition()["services"])


def platform_services() -> dict[str, dict[str, Any]]:
    """Those that run the platform's own image."""
    return {name: service for name, service in services().items() if service["image"] == PLATFORM_IMAGE}
