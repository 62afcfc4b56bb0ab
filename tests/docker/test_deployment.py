"""The deployment's scripts at work: every role of the image, on the broker as it is configured there."""

import stat
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.retry import Retry

from pmplatform.embedded.process import LOOPBACK
from tests.docker.composition import BIN, CHECKOUT, DOCKER
from tests.docker.deployment import Deployment, deployment
from tests.support.waiting import PATIENCE_SECONDS

FLOWER_PORT = 5555


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Started and migrated by the migrate job."""
    with deployment(tmp_path_factory.mktemp("deployment")) as started:
        # As the build of the image does.
        collected = started.run(BIN / "python", CHECKOUT / "manage.py", "collectstatic", "--noinput")
        assert collected.returncode == 0, collected.stderr
        early = started.enter("web", MIGRATION_WAIT_SECONDS="0")
        assert early.returncode == 1
        assert "The database is not migrated." in early.stderr
        migrated = started.enter("migrate")
        assert migrated.returncode == 0, migrated.stderr
        yield started


@pytest.fixture
def broker(deployed: Deployment) -> Iterator[Redis]:
    url = (deployed.directory / "secrets" / "redis_url").read_text(encoding="utf-8")
    with Redis.from_url(url, decode_responses=True) as client:
        yield client


def get(port: int, path: str) -> tuple[int, bytes]:
    """A request as the proxy that ends TLS would pass it on."""
    client = HTTPConnection(LOOPBACK, port, timeout=PATIENCE_SECONDS)
    try:
        client.request("GET", path, headers={"X-Forwarded-Proto": "https"})
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.2)
    return condition()


def test_the_web_answers_and_is_unhealthy_once_it_is_gone(deployed: Deployment) -> None:
    with deployed.running("web"):
        status, schema = get(deployed.port, "/api/schema")
        assert status == 200
        assert b"/api/v1/accounts/" in schema
        assert deployed.is_healthy("web")
    assert not deployed.is_healthy("web")


def test_djangos_own_deployment_check_has_nothing_to_say(deployed: Deployment) -> None:
    checked = deployed.run(
        BIN / "python", CHECKOUT / "manage.py", "check", "--deploy", "--fail-level", "WARNING"
    )
    assert checked.returncode == 0, checked.stderr


def test_flower_shows_what_workers_do_and_lets_nobody_change_it(deployed: Deployment) -> None:
    with deployed.running("flower"):
        assert eventually(lambda: deployed.is_healthy("flower"))
        assert get(FLOWER_PORT, "/workers")[0] == 200
        assert get(FLOWER_PORT, "/api/workers")[0] == 401


def test_a_worker_answers_a_ping_and_ends_in_order_on_the_containers_signal(deployed: Deployment) -> None:
    with deployed.running("worker-stress"):
        assert deployed.is_healthy("worker-stress")
    assert "Warm shutdown" in deployed.output("worker-stress")
    assert not deployed.is_healthy("worker-stress")


def test_what_beat_sends_is_done_under_the_rights_of_the_brokers_user(deployed: Deployment) -> None:
    assert not deployed.is_healthy("beat")
    with deployed.running("worker-housekeeping"), deployed.running("beat"):
        assert eventually(lambda: "task_succeeded" in deployed.output("worker-housekeeping"))
        assert deployed.is_healthy("beat")


@pytest.mark.parametrize("role", ["relay", "webhooks"])
def test_what_works_off_the_database_is_healthy_while_it_does(deployed: Deployment, role: str) -> None:
    assert not deployed.is_healthy(role)
    with deployed.running(role):
        assert eventually(lambda: deployed.is_healthy(role))


def test_the_stream_answers_and_is_served_by_its_own_role(deployed: Deployment) -> None:
    with deployed.running("stream"):
        assert get(deployed.port, "/api/v1/stream")[0] == 401
        assert deployed.is_healthy("stream")
    assert not deployed.is_healthy("stream")


@pytest.mark.parametrize("words", [(), ("shell",), ("worker",)])
def test_no_role_or_an_unknown_one_is_refused(deployed: Deployment, words: tuple[str, ...]) -> None:
    assert deployed.enter(*words).returncode == 2


def test_the_broker_keeps_its_tasks(broker: Redis) -> None:
    memory, persistence = broker.info("memory"), broker.info("persistence")
    assert memory["maxmemory_policy"] == "noeviction"
    assert memory["maxmemory"] > 0
    assert persistence["aof_enabled"] == 1


def test_the_brokers_user_may_neither_reconfigure_nor_empty_it(broker: Redis) -> None:
    refused = (lambda: broker.config_get("maxmemory"), broker.flushall, broker.acl_list, broker.keys)
    for command in refused:
        with pytest.raises(NoPermissionError):
            command()


def test_the_broker_knows_nobody_else(deployed: Deployment) -> None:
    url = urlsplit((deployed.directory / "secrets" / "redis_url").read_text(encoding="utf-8"))
    for username, password in ((None, None), ("platform", "guess"), ("default", "")):
        once = Retry(NoBackoff(), 0)
        stranger = Redis(LOOPBACK, url.port or 0, username=username, password=password, retry=once)
        with stranger, pytest.raises(AuthenticationError):
            stranger.ping()


def test_secrets_are_random_closed_to_others_and_never_overwritten(
    deployed: Deployment, tmp_path: Path
) -> None:
    again = tmp_path / "secrets"
    assert deployed.run(DOCKER / "make-secrets.sh", again).returncode == 0
    assert stat.S_IMODE(again.stat().st_mode) == 0o700
    for name in ("secret_key", "token_pepper", "postgres_password", "redis_password"):
        secret = (again / name).read_text(encoding="utf-8")
        assert len(secret) == 64
        assert secret != (deployed.directory / "secrets" / name).read_text(encoding="utf-8")
    assert deployed.run(DOCKER / "make-secrets.sh", again).returncode != 0
