"""What is asked of a database that was restored: the commands of the run book, on another database."""

import subprocess
import sys

from tests.support.processes import CHECKOUT, child_environment


def manage(url: str, *words: str) -> str:
    """What a command prints, on another database."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=CHECKOUT,
        env=child_environment() | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_verifies(url: str, head: str) -> None:
    """Ledger, audit chain with the noted head, and invariants, as the run book has them checked."""
    manage(url, "migrate", "--verbosity=0")
    assert "agree with the ledger" in manage(url, "verify_ledger")
    assert f"head {head}" in manage(url, "verify_audit", "--noted", head)
    assert manage(url, "check_invariants") == "no invariant is violated\n"
