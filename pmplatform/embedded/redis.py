"""A private server of the Redis protocol, with a password, on loopback TCP, or a namespace's own network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from pmplatform.embedded.binaries import redis_program
from pmplatform.embedded.process import LOOPBACK, free_port, new_password, supervised, write_secret

# One for the platform and one for each parallel test process.
DATABASES = 64


@contextmanager
def redis(data_dir: Path, *, durable: bool, lock: int, address: str = "") -> Iterator[str]:
    """Run the server on `data_dir`/redis; yields its URL. Port and password are new at each start.

    With `durable` each write is logged to disk within a second. Raises ServerFailed.
    """
    port, password = free_port(), new_password()
    (data_dir / "redis").mkdir(mode=0o700, exist_ok=True)
    options = {
        "bind": f"{LOOPBACK} {address}".strip(),
        "port": str(port),
        "requirepass": password,
        "dir": f'"{data_dir / "redis"}"',
        "databases": str(DATABASES),
        # A broker that evicts keys loses messages without a word.
        "maxmemory-policy": "noeviction",
        "appendonly": "yes" if durable else "no",
        "save": '""',
    }
    # In a file, because a command line is readable by every user of the machine.
    configuration = data_dir / "redis.conf"
    write_secret(configuration, "".join(f"{name} {value}\n" for name, value in options.items()))
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    with supervised(
        [str(redis_program()), str(configuration)],
        stop_signal="SIGTERM",
        log=data_dir / "redis.log",
        lock=lock,
        answers=lambda: _answers(url),
    ):
        yield url


def _answers(url: str) -> bool:
    client = Redis.from_url(url, socket_timeout=2)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
