"""A private PostgreSQL: one superuser with a password, on loopback TCP only, or a namespace's own network."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from pmplatform.embedded.disguise import Disguise, current_disguise
from pmplatform.embedded.process import (
    LOOPBACK,
    ServerFailed,
    free_port,
    new_password,
    supervised,
    write_secret,
)

USER = DATABASE = "pm"
OLDEST_RELEASE = 15
#: What a crash of the machine may corrupt. A commit is still written before it is answered, so that it
#: survives the end of every process, which the tests bring about.
VOLATILE = {"fsync": "off", "full_page_writes": "off"}


@contextmanager
def postgres(data_dir: Path, *, durable: bool, lock: int, address: str = "") -> Iterator[str]:
    """Run PostgreSQL on `data_dir`/postgres, created when absent; yields the URL of its database.

    With `durable` false a crash of the machine may corrupt the data, and writes are faster. The caller
    holds the directory's lock (`lock`, see `supervised`). Raises ServerFailed.
    """
    cluster, secret = data_dir / "postgres", data_dir / "postgres.password"
    disguise = current_disguise()
    if not cluster.exists():
        _create(cluster, secret, disguise, durable=durable)
    if address:
        _admit_neighbours(cluster)
    _forget_dead_server(cluster)
    port = free_port()
    server_url = f"postgresql://{USER}:{secret.read_text(encoding='utf-8')}@{LOOPBACK}:{port}"
    addresses = f"{LOOPBACK},{address}" if address else LOOPBACK
    options = {"listen_addresses": addresses, "port": str(port), "unix_socket_directories": ""}
    options |= {} if durable else VOLATILE
    with supervised(
        disguise.command("postgres", "-D", str(cluster), *_arguments(options)),
        stop_signal="SIGINT",
        log=data_dir / "postgres.log",
        lock=lock,
        answers=lambda: _answers(server_url),
    ):
        _create_database(server_url)
        yield f"{server_url}/{DATABASE}"


def _create(cluster: Path, secret: Path, disguise: Disguise, *, durable: bool) -> None:
    # Renamed only when whole, so that an interrupted set-up starts over.
    unfinished = cluster.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    write_secret(secret, new_password())
    disguise.entrust(unfinished, secret)
    options: dict[str, str | Path] = {
        "pgdata": unfinished,
        "username": USER,
        "pwfile": secret,
        "auth": "scram-sha-256",
    }
    options |= {"encoding": "UTF8", "locale": "C"}
    command = disguise.command("initdb", *_arguments(options), *([] if durable else ["--no-sync"]))
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode:
        raise ServerFailed(f"initdb failed:\n{outcome.stderr}")
    unfinished.rename(cluster)


def _admit_neighbours(cluster: Path) -> None:
    """Let who is on the networks of this namespace connect as loopback may: with the password."""
    rules, rule = cluster / "pg_hba.conf", "host all all samenet scram-sha-256\n"
    written = rules.read_text(encoding="utf-8")
    if rule not in written:
        rules.write_text(written + rule, encoding="utf-8")


def _arguments(options: Mapping[str, str | Path]) -> list[str]:
    return [f"--{name}={value}" for name, value in options.items()]


def _forget_dead_server(cluster: Path) -> None:
    """Remove a pid file left by a crash when its pid now belongs to a process that is not this server.

    PostgreSQL would take such a stranger for itself and refuse to start, as after a container's restart.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    # A server's working directory is its data directory.
    working_directory = Path("/proc") / pid_file.read_text(encoding="utf-8").split()[0] / "cwd"
    if not working_directory.exists() or not working_directory.samefile(cluster):
        pid_file.unlink()


def _answers(server_url: str) -> bool:
    try:
        psycopg.connect(f"{server_url}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _create_database(server_url: str) -> None:
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        if connection.info.server_version < OLDEST_RELEASE * 10_000:
            raise ServerFailed(f"PostgreSQL {OLDEST_RELEASE} or newer is needed")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
