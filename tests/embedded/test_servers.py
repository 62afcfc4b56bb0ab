"""The private servers: they start, keep data, and never outlive who started them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from pmplatform.embedded import disguise
from pmplatform.embedded.process import ServerFailed, free_port, supervised
from pmplatform.embedded.servers import Servers, embedded_servers

REPOSITORY = Path(__file__).resolve().parents[2]
GONE_SECONDS = 120.0


def processes_in(directory: Path) -> set[int]:
    """The living processes that name the directory on their command line or work below it."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            named = str(directory) in (process / "cmdline").read_text()
            if named or (process / "cwd").resolve().is_relative_to(directory):
                found.add(int(process.name))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def wait_until_gone(directory: Path) -> set[int]:
    deadline = time.monotonic() + GONE_SECONDS
    while (left := processes_in(directory)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@contextmanager
def launcher(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], Servers]]:
    """Servers under a process of their own, which can be killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.embedded.launcher", str(data_dir)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        yield process, Servers(urls["DATABASE_URL"], urls["REDIS_URL"])


def remember(servers: Servers, text: str) -> None:
    with psycopg.connect(servers.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (text text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [text])
    with Redis.from_url(servers.redis_url) as client:
        client.rpush("memory", text)


def remembered(servers: Servers) -> tuple[list[str], list[bytes]]:
    with psycopg.connect(servers.database_url) as connection:
        rows = [str(row[0]) for row in connection.execute("SELECT text FROM memory").fetchall()]
    with Redis.from_url(servers.redis_url) as client:
        return rows, client.lrange("memory", 0, -1)


def test_the_servers_of_the_environment_win_and_nothing_is_started(tmp_path: Path) -> None:
    named = {"DATABASE_URL": "postgresql://somebody@elsewhere/data", "REDIS_URL": "redis://elsewhere/3"}
    with embedded_servers(tmp_path, durable=True, environ=named) as servers:
        assert servers.as_environment() == named
        assert list(tmp_path.iterdir()) == []


def test_only_the_server_that_is_not_named_is_started(tmp_path: Path) -> None:
    named = {"DATABASE_URL": "postgresql://somebody@elsewhere/data"}
    with embedded_servers(tmp_path, durable=False, environ=named) as servers:
        assert servers.database_url == named["DATABASE_URL"]
        with Redis.from_url(servers.redis_url) as client:
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert not (tmp_path / "postgres").exists()


def test_the_servers_listen_on_loopback_want_a_password_and_end_with_the_block(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, durable=False, environ={}) as servers:
        with psycopg.connect(servers.database_url) as connection:
            row = connection.execute(
                "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
            ).fetchone()
        assert row == ("127.0.0.1", "")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(servers.database_url, password="wrong")
        without_password = "redis://" + servers.redis_url.rpartition("@")[2]
        with Redis.from_url(without_password) as client, pytest.raises(AuthenticationError):
            client.ping()
        assert (tmp_path / "postgres.password").stat().st_mode & 0o077 == 0
        assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0
        assert processes_in(tmp_path)
    assert processes_in(tmp_path) == set()


def test_durable_servers_keep_their_data_over_a_restart(tmp_path: Path) -> None:
    with embedded_servers(tmp_path, durable=True, environ={}) as servers:
        remember(servers, "first")
    with embedded_servers(tmp_path, durable=True, environ={}) as servers:
        remember(servers, "second")
        assert remembered(servers) == (["first", "second"], [b"first", b"second"])
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_nothing_runs_on_after_the_launcher_is_killed_and_the_data_are_there(tmp_path: Path) -> None:
    with launcher(tmp_path) as (process, servers):
        remember(servers, "before the kill")
        assert len(processes_in(tmp_path)) > 3
        process.kill()
    assert wait_until_gone(tmp_path) == set()
    with embedded_servers(tmp_path, durable=True, environ={}) as servers:
        assert remembered(servers)[0] == ["before the kill"]


def test_everything_killed_at_once_leaves_a_pid_file_that_does_not_matter(tmp_path: Path) -> None:
    with launcher(tmp_path) as (process, servers):
        remember(servers, "before the crash")
        for pid in processes_in(tmp_path):
            # One may have followed its parent already.
            with suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.wait(GONE_SECONDS)
    wait_until_gone(tmp_path)
    pid_file = tmp_path / "postgres" / "postmaster.pid"
    # The worst case: by now the pid is somebody else's, here our own.
    lines = pid_file.read_text().splitlines(keepends=True)
    pid_file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    with embedded_servers(tmp_path, durable=True, environ={}) as servers:
        assert remembered(servers)[0] == ["before the crash"]


def test_a_second_process_waits_for_the_directory(tmp_path: Path) -> None:
    with launcher(tmp_path) as (process, servers):
        remember(servers, "of the first")
        second = subprocess.Popen(
            [sys.executable, "-m", "tests.embedded.launcher", str(tmp_path)],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.0)
        assert second.poll() is None, "the directory is taken, so it can neither serve nor end"
        process.communicate()
    output, _ = second.communicate(timeout=GONE_SECONDS)
    assert second.returncode == 0
    assert json.loads(output)["DATABASE_URL"] != servers.database_url


def test_a_server_that_does_not_start_is_reported_with_its_log(tmp_path: Path) -> None:
    lock = (tmp_path / "lock").open("w")
    complaint = [sys.executable, "-c", "import sys; sys.exit('no such option')"]
    server = supervised(
        complaint,
        stop_signal="SIGTERM",
        log=tmp_path / "server.log",
        lock=lock.fileno(),
        answers=lambda: False,
    )
    with lock, pytest.raises(ServerFailed, match="no such option"):
        server.__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_without_namespaces_becomes_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disguise, "NAMESPACE", ("false",))
    with tempfile.TemporaryDirectory(prefix="pm-nobody-") as name:
        # Not below pytest's own directory, which only root may pass through.
        data_dir = Path(name)
        data_dir.chmod(0o711)
        with embedded_servers(data_dir, durable=False, environ={}) as servers:
            assert (data_dir / "postgres").stat().st_uid == disguise.NOBODY
            remember(servers, "as nobody")
        assert processes_in(data_dir) == set()


def test_a_free_port_can_be_listened_on() -> None:
    assert 1024 < free_port() < 65_536
