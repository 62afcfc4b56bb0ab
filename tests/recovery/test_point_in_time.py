"""A server that archives its log, restored to a moment: what was before is there, what came later is not."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from pmplatform.embedded.disguise import current_disguise
from pmplatform.embedded.postgres import postgres
from tests.recovery.restored import assert_verifies, manage
from tests.support.waiting import wait_until

#: What the relay does once a second, until all is sealed.
SEAL = """
from django.utils import timezone
from pmplatform.common.chain import chain_head, chain_seal
while chain_seal(now=timezone.now()): pass
print(chain_head())
"""


@pytest.fixture
def directory() -> Iterator[Path]:
    """Two servers' directories and the archive between them, where the servers' user may write."""
    with tempfile.TemporaryDirectory() as name:
        for part in ("first", "second", "archive"):
            (Path(name) / part).mkdir()
            current_disguise().entrust(Path(name) / part)
        yield Path(name)


@contextmanager
def server(directory: Path) -> Iterator[str]:
    with (
        (directory / "lock").open("w") as lock,
        postgres(directory, durable=False, lock=lock.fileno()) as url,
    ):
        yield url


def settings_write(url: str, **values: str) -> None:
    """As an operator sets them; some hold from the next start on."""
    with psycopg.connect(url, autocommit=True) as connection:
        for name, value in values.items():
            statement = sql.SQL("ALTER SYSTEM SET {} = {}")
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(value)))


def asked(url: str, query: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        [value] = connection.execute(query).fetchone() or [None]
    return str(value)


def is_archived(url: str) -> bool:
    return asked(url, "SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver") == "True"


def test_a_server_is_restored_to_the_moment_before_a_mistake(directory: Path) -> None:
    first, second, archive = (directory / name for name in ("first", "second", "archive"))
    with server(first) as url:
        settings_write(
            url, archive_mode="on", archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f"
        )
    with server(first) as url:
        manage(url, "migrate", "--verbosity=0")
        back_up(url, second / "postgres")
        manage(url, "tenant_create", "wanted")
        head = manage(url, "shell", "--verbosity=0", f"--command={SEAL}").strip()
        moment = asked(url, "SELECT clock_timestamp()")
        manage(url, "tenant_create", "mistaken")
        asked(url, "SELECT pg_switch_wal()")
        wait_until(lambda: is_archived(url))
    shutil.copy(first / "postgres.password", second)
    (second / "postgres" / "recovery.signal").touch()
    with (second / "postgres" / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\nrecovery_target_time = '{moment}'\n")
        settings.write("recovery_target_action = 'promote'\n")
    with server(second) as url:
        wait_until(lambda: asked(url, "SELECT pg_is_in_recovery()") == "False")
        assert asked(url, "SELECT string_agg(slug, ' ') FROM accounts_tenant") == "wanted"
        assert_verifies(url, head)


def back_up(url: str, directory: Path) -> None:
    """A copy of the running server's files, made by itself."""
    command = current_disguise().command("pg_basebackup", f"--dbname={url}", f"--pgdata={directory}")
    subprocess.run([*command, "--checkpoint=fast"], check=True, capture_output=True)
