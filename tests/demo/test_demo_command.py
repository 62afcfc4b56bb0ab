"""`manage.py demo` as a person starts it: in an environment with no servers, in a directory of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.processes import CHECKOUT
from tests.support.waiting import PATIENCE_SECONDS

_OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")


def environment(data_dir: Path) -> dict[str, str]:
    mine = (name for name in os.environ if name not in _OURS and not name.startswith("PM_"))
    kept = {name: os.environ[name] for name in mine}
    return kept | {"PM_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}


@contextmanager
def demo(data_dir: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "manage.py", "demo", "--accounts=40", "--workers=1", *options]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_SECONDS)


def output_until(process: subprocess.Popen[str], word: str) -> str:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if word in line:
            break
    return "".join(lines)


def status_of(url: str) -> tuple[int, str]:
    parts = urlsplit(url)
    client = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_SECONDS)
    client.request("GET", parts.path)
    answer = client.getresponse()
    client.close()
    return answer.status, answer.getheader("Location") or ""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Where a demo has made its world and ended, and what it showed."""
    data_dir = tmp_path_factory.mktemp("demo")
    with demo(data_dir, "--once") as process:
        shown, _ = process.communicate()
    assert process.returncode == 0, shown
    return data_dir, shown


def test_the_demo_makes_its_world_and_margins_it(world: tuple[Path, str]) -> None:
    _, shown = world
    assert "40 accounts loaded" in shown
    assert "run " in shown
    assert "liquidation" in shown
    assert "Ready in" in shown


def test_a_second_start_finds_the_world_standing_and_its_login_link_works_once(
    world: tuple[Path, str],
) -> None:
    data_dir, _ = world
    with demo(data_dir) as process:
        shown = output_until(process, "Ready in")
        family = psutil.Process(process.pid).children(recursive=True)
        assert "the demo world stands already" in shown
        assert "run " in shown
        link = re.search(r"http://\S+/demo/login/\S+", shown)
        assert link is not None, shown
        assert status_of(link[0]) == (302, "/admin/")
        assert status_of(link[0])[0] == 404
    assert process.returncode == 0
    assert len(family) >= 6
    assert not [child for child in family if child.is_running()]
