"""A private PostgreSQL: one superuser with a password, on loopback TCP only."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from pmplatform.embedded.binaries import postgres_program
from pmplatform.embedded.process import LOOPBACK, ServerFailed, free_port, new_password, supervised, write_secret

USER = DATABASE = "pm"
# PostgreSQL refuses to run as root; in a user namespace of its own it sees another user, and files stay ours.
UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@contextmanager
def postgres(data_dir: Path, *, durable: bool, lock: int) -> Iterator[str]:
    """Run PostgreSQL on `data_dir`/postgres, created when absent; yields the URL of its database.

    With `durable` false a crash of the machine may corrupt the data, and writes are faster. The caller
    holds the directory's lock (`lock`, see `supervised`). Raises ServerFailed.
    """
    cluster, secret = data_dir / "postgres", data_dir / "postgres.password"
    if not cluster.exists():
        _create(cluster, secret)
    _forget_dead_server(cluster)
    port = free_port()
    server_url = f"postgresql://{USER}:{secret.read_text(encoding='utf-8')}@{LOOPBACK}:{port}"
    options = {"listen_addresses": LOOPBACK, "port": str(port), "unix_socket_directories": ""}
    options |= {} if durable else VOLATILE
    with supervised(
        [str(postgres_program("postgres")), "-D", str(cluster), *(f"--{k}={v}" for k, v in options.items())],
        prefix=_unprivileged(),
        stop_signal="SIGINT",
        log=data_dir / "postgres.log",
        lock=lock,
        answers=lambda: _answers(server_url),
    ):
        _create_database(server_url)
        yield f"{server_url}/{DATABASE}"


def _unprivileged() -> tuple[str, ...]:
    return UNPRIVILEGED if os.geteuid() == 0 else ()


def _create(cluster: Path, secret: Path) -> None:
    # Renamed only when whole, so that an interrupted set-up starts over.
    unfinished = cluster.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    write_secret(secret, new_password())
    options = {"pgdata": unfinished, "username": USER, "pwfile": secret, "auth": "scram-sha-256"}
    options |= {"encoding": "UTF8", "locale": "C"}
    command = [str(postgres_program("initdb")), "--no-sync", *(f"--{k}={v}" for k, v in options.items())]
    outcome = subprocess.run([*_unprivileged(), *command], capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise ServerFailed(f"initdb failed:\n{outcome.stderr}")
    unfinished.rename(cluster)


def _forget_dead_server(cluster: Path) -> None:
    """Remove a pid file left by a crash when its pid now belongs to a program that is not PostgreSQL.

    PostgreSQL would take such a stranger for itself and refuse to start, as after a container's restart.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    program = Path("/proc") / pid_file.read_text(encoding="utf-8").split()[0] / "comm"
    if not program.exists() or program.read_text(encoding="utf-8").strip() != "postgres":
        pid_file.unlink()


def _answers(server_url: str) -> bool:
    try:
        psycopg.connect(f"{server_url}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(server_url: str) -> None:
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
