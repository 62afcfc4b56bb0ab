"""PostgreSQL stops at once, as by `pg_ctl stop --mode=immediate`, and is started again from its log."""

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import psutil
import psycopg
import pytest
from django.db import connection

from pmplatform.embedded import supervisor
from pmplatform.embedded.disguise import current_disguise
from pmplatform.embedded.process import supervised
from tests.faults.crew import Crew
from tests.faults.ending import finish
from tests.faults.stage import Stage, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

STOP_SECONDS: Final = 60


@pytest.fixture
def restart(request: pytest.FixtureRequest) -> Callable[[], None]:
    """Stop the server of these tests at once, and run another on its data and port until the tests end."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as asking:
        [directory] = asking.execute("SHOW data_directory").fetchone() or [""]
    pid_file = Path(directory) / "postmaster.pid"
    if not pid_file.is_file():
        pytest.skip("the server is not of this machine")
    server = psutil.Process(int(pid_file.read_text(encoding="ascii").split()[0]))
    parent = server.parent()
    if parent is None or supervisor.__file__ not in parent.cmdline():
        pytest.skip("the server is not ours to be stopped")

    def stop_and_start() -> None:
        command = current_disguise().command("postgres", *server.cmdline()[1:])
        server.send_signal(signal.SIGQUIT)
        server.wait(STOP_SECONDS)
        connection.close()
        stack = ExitStack()
        log = Path(directory).with_name("postgres-again.log")
        stack.enter_context(supervised(command, stop_signal="SIGINT", log=log, answers=_answers))
        request.config.add_cleanup(stack.close)

    return stop_and_start


def _answers() -> bool:
    try:
        psycopg.connect(os.environ["DATABASE_URL"], connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_database_stops_at_once_and_comes_back(
    staff: Crew, on_stage: Stage, restart: Callable[[], None]
) -> None:
    on_stage.announce()
    wait_until(on_stage.is_under_way)
    restart()
    finish(staff, on_stage)
