"""Who has changed waits in Redis, and a worker is called once for all that come until nobody is left."""

import time

import pytest
from django.test import override_settings
from kombu.exceptions import OperationalError as BrokerUnavailable

from margin import waiting
from margin.waiting import waiting_add, waiting_finish, waiting_take


@pytest.fixture(autouse=True)
def nobody_waits() -> None:
    waiting_take(1_000)
    assert waiting_finish()


def test_a_worker_is_called_once_until_it_has_found_nobody() -> None:
    assert waiting_add([3, 1, 3])
    assert not waiting_add([2])
    assert waiting_take(2) == [1, 3]
    assert not waiting_finish()
    assert waiting_take(10) == [2, 3]
    assert not waiting_add([4])
    assert waiting_take(10) == [4]
    assert waiting_finish()
    assert waiting_add([5])


def test_nobody_is_called_for_nobody() -> None:
    assert not waiting_add([])
    assert waiting_take(10) == []
    assert waiting_finish()


def test_a_worker_that_is_called_and_lost_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_CALL_LASTS_MS", 20)
    assert waiting_add([1])
    time.sleep(0.05)
    assert waiting_add([2])


@override_settings(PM_REDIS_URL="redis://127.0.0.1:1/0")
def test_without_redis_the_broker_is_unavailable() -> None:
    for call in (lambda: waiting_add([1]), lambda: waiting_take(1), waiting_finish):
        with pytest.raises(BrokerUnavailable):
            call()
