"""The helpers themselves: what they start works, shares the test's database, and leaves nothing behind."""

import signal
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from pmplatform.celery import app
from tests.support.processes import child_environment, live_server, start_worker
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def group_members(group: int) -> list[int]:
    """The living processes of a process group."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, member_of = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(member_of) == group and state != "Z":
            members.append(int(stat.parent.name))
    return members


def test_a_child_process_is_pointed_at_the_database_of_the_test() -> None:
    with psycopg.connect(child_environment()["DATABASE_URL"]) as child:
        assert child.info.dbname == connection.settings_dict["NAME"]


def test_a_worker_answers_on_our_broker_and_its_whole_tree_ends_with_the_block() -> None:
    with start_worker(concurrency=2) as worker:
        answers = app.control.broadcast("ping", reply=True, timeout=PATIENCE_SECONDS, limit=1) or []
        members = group_members(worker.pid)
    assert [list(answer.values()) for answer in answers] == [[{"ok": "pong"}]]
    assert len(members) >= 3, "the worker and its two pool processes"
    wait_until(lambda: group_members(worker.pid) == [])


def test_a_worker_that_the_test_kills_is_no_error_and_takes_its_pool_with_it() -> None:
    with start_worker(concurrency=2) as worker:
        worker.signal_tree(signal.SIGKILL)
        assert worker.process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        wait_until(lambda: group_members(worker.pid) == [])


def test_a_worker_listens_only_to_the_queues_it_is_given() -> None:
    with start_worker(["stress"]):
        queues = app.control.inspect(timeout=PATIENCE_SECONDS, limit=1).active_queues()
    assert queues is not None
    assert [queue["name"] for served in queues.values() for queue in served] == ["stress"]


@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_the_live_server_serves_the_console_under_its_content_security_policy(interface: str) -> None:
    with live_server(interface=interface) as url:
        client = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
        client.request("GET", "/admin/login/")
        response = client.getresponse()
        policy = response.headers["Content-Security-Policy"]
        client.close()
    assert response.status == 200
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "default-src 'self'" in policy
