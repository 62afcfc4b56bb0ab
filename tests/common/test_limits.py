"""The limit of requests: per principal, exact under concurrency, and gone where Redis is."""

import threading
import uuid
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from pytest_django.fixtures import Settings

from pmplatform.common import limits
from pmplatform.common.limits import allowance_take
from pmplatform.common.tokens import Scope
from tests.accounts.test_access_api import client_of
from tests.support.waiting import PATIENCE_SECONDS

URL = "/api/v1/accounts"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Redis may be slow, and nothing is known of an earlier outage."""
    monkeypatch.setattr(limits, "_ANSWER_SECONDS", PATIENCE_SECONDS)
    limits._counter.cache_clear()
    yield
    limits._counter.cache_clear()


@pytest.mark.usefixtures("patient")
@pytest.mark.django_db
def test_answers_tell_what_is_left_and_beyond_the_limit_a_request_is_refused(settings: Settings) -> None:
    settings.PM_RATE_LIMIT = 3
    client, other = client_of(None, Scope.READ), client_of(None, Scope.READ)
    left = [client.get(URL).headers["RateLimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=2", "r=1", "r=0"]
    refused = client.get(URL)
    assert (refused.status_code, refused.headers["RateLimit-Policy"]) == (429, '"minute";q=3;w=60')
    assert refused.json()["type"] == "urn:pmplatform:problem:too-many-requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert other.get(URL).status_code == HTTPStatus.OK


@pytest.mark.usefixtures("patient")
def test_of_requests_at_once_exactly_as_many_pass_as_the_limit_says(settings: Settings) -> None:
    settings.PM_RATE_LIMIT = 20
    name, passed, together = uuid.uuid4().hex, [], threading.Barrier(16)

    def knock() -> None:
        together.wait()
        for _ in range(5):
            allowance = allowance_take(name)
            passed.append(allowance is not None and not allowance.is_exceeded)

    threads = [threading.Thread(target=knock) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(passed), sum(passed)) == (80, 20)


def test_without_redis_nobody_is_limited_and_nobody_waits_twice(settings: Settings) -> None:
    settings.PM_REDIS_URL = "redis://127.0.0.1:1/1"
    assert [allowance_take("anybody") for _ in range(100)] == [None] * 100
