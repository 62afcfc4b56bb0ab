"""A dump restored into another database: everything that can be verified is, there."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.utils import timezone
from psycopg import sql

from margin.choices import RunReason
from margin.models import MarginResult
from margin.services import runs
from pmplatform.common.chain import chain_head, chain_seal
from pmplatform.embedded.binaries import postgres_program
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world
from tests.recovery.restored import assert_verifies, manage
from tests.support.processes import child_environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The URL of an empty database that exists for the test."""
    server, name = urlsplit(os.environ["DATABASE_URL"]), f"restored_{uuid.uuid4().hex}"
    with psycopg.connect(server.geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def postgres_run(program: str, *words: str | Path) -> None:
    subprocess.run([postgres_program(program), *words], check=True, capture_output=True)


def test_a_restored_database_verifies_as_the_one_that_was_dumped(elsewhere: str, tmp_path: Path) -> None:
    demo_world(12)
    work_through(runs.run_start(reason=RunReason.MANUAL))
    while chain_seal(now=timezone.now()):
        pass
    dump = tmp_path / "pm.dump"
    postgres_run("pg_dump", "--format=custom", f"--file={dump}", child_environment()["DATABASE_URL"])
    postgres_run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={elsewhere}", dump)
    assert_verifies(elsewhere, str(chain_head()))
    for result in MarginResult.objects.order_by("pk")[:2]:
        manage(elsewhere, "verify_margin", str(result.pk))
