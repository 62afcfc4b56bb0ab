"""Servers for the tests; load with `-p pmplatform.embedded.pytest_plugin`, for a conftest comes too late.

The controlling process starts what the environment does not name, once; parallel workers inherit it and
take a Redis database and a data directory each (pytest-django already gives each a PostgreSQL database).
"""

import os
import secrets
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pmplatform.embedded.servers import embedded_servers

_running = pytest.StashKey[ExitStack]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Set the environment before pytest-django reads the settings; a wrapper runs before every plain hook."""
    stack = early_config.stash[_running] = ExitStack()
    early_config.add_cleanup(stack.close)
    data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pm-tests-")))
    servers = stack.enter_context(embedded_servers(data_dir, durable=False))
    os.environ.update(servers.as_environment(), REDIS_URL=_own_database(servers.redis_url))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pmplatform.settings")
    os.environ.setdefault("PM_PLAIN_HTTP", "true")
    # Nothing that an earlier engine or a process beside this one has left in files.
    os.environ["PM_DATA_DIR"] = str(data_dir)
    for name in ("PM_SECRET_KEY", "PM_TOKEN_PEPPER"):
        os.environ.setdefault(name, secrets.token_urlsafe(32))
    return (yield)


def _own_database(redis_url: str) -> str:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        return redis_url
    return urlsplit(redis_url)._replace(path=f"/{int(worker.removeprefix('gw')) + 1}").geturl()
