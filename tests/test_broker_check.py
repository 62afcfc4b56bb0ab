"""A worker's refusal of a broker that may drop tasks."""

from pathlib import Path

import pytest
from redis import Redis

from pmplatform.embedded.redis import redis
from tests.support.processes import ProcessFailed, start_worker

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_ends_at_a_broker_that_evicts(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock, redis(tmp_path, durable=False, lock=lock.fileno()) as url:
        with Redis.from_url(url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        refusal = "ended:.*maxmemory-policy is allkeys-lru: it may drop tasks"
        with pytest.raises(ProcessFailed, match=f"(?s){refusal}"), start_worker(extra={"REDIS_URL": url}):
            pass
        with Redis.from_url(url) as client:
            client.config_set("maxmemory-policy", "noeviction")
        with start_worker(extra={"REDIS_URL": url}) as worker:
            assert "ready" in worker.output()
