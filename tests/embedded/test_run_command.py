"""`python -m pmplatform.embedded COMMAND`: any command with the servers it needs."""

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pmplatform.embedded", *arguments],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_finds_the_servers_in_its_environment_and_its_status_is_ours(tmp_path: Path) -> None:
    outcome = run("--data", str(tmp_path / "data"), "sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"; exit 7')
    assert outcome.returncode == 7
    assert outcome.stdout.startswith("postgresql://pm:")
    assert "redis://:" in outcome.stdout
    assert (tmp_path / "data" / "postgres").is_dir()


def test_without_a_command_it_says_how_to_use_it() -> None:
    outcome = run()
    assert outcome.returncode == 2
    assert "name a command to run" in outcome.stderr
