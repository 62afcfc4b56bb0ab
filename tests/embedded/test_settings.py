"""Settings stand or fall by the environment alone, as a fresh process sees them."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SET_UP = "import django; django.setup(); from django.conf import settings; "


def run_python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process that has these variables and no others."""
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={"DJANGO_SETTINGS_MODULE": "pmplatform.settings", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_empty_environment_is_enough_to_set_up() -> None:
    outcome = run_python(
        SET_UP + "from django.apps import apps; print(apps.get_model('accounts.User').__name__)"
    )
    assert (outcome.returncode, outcome.stdout) == (0, "User\n"), outcome.stderr


def test_the_command_line_lists_its_commands_in_an_empty_environment() -> None:
    outcome = subprocess.run(
        [sys.executable, "manage.py", "help", "--commands"],
        cwd=CHECKOUT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "simulate" in outcome.stdout.split()


@pytest.mark.parametrize(
    ("variable", "use"),
    [
        ("PM_SECRET_KEY", "settings.SECRET_KEY"),
        ("PM_TOKEN_PEPPER", "settings.PM_TOKEN_PEPPER.encode()"),
        ("REDIS_URL", "settings.PM_REDIS_URL.encode()"),
        ("DATABASE_URL", "from django.db import connection; connection.ensure_connection()"),
    ],
)
def test_a_missing_value_is_named_when_it_is_first_used(variable: str, use: str) -> None:
    outcome = run_python(SET_UP + use)
    assert outcome.returncode != 0
    last_line = outcome.stderr.splitlines()[-1]
    assert last_line.startswith(f"django.core.exceptions.ImproperlyConfigured: {variable} is not set")


def test_a_variable_of_ours_that_nothing_reads_is_refused_by_name() -> None:
    outcome = run_python(SET_UP, PM_SECRETKEY="misspelt")
    assert outcome.returncode != 0
    assert "Unknown environment variable: PM_SECRETKEY." in outcome.stderr


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    outcome = run_python(SET_UP + "print(settings.SECRET_KEY)", PM_SECRET_KEY_FILE=str(tmp_path / "key"))
    assert outcome.stdout == "from the file\n", outcome.stderr


def test_shared_tasks_use_the_broker_of_the_settings() -> None:
    code = SET_UP + "from celery import current_app; print(current_app.conf.broker_url)"
    outcome = run_python(code, REDIS_URL="redis://127.0.0.1:7777/3")
    assert outcome.stdout == "redis://127.0.0.1:7777/3\n", outcome.stderr
