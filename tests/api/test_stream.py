"""The stream over a real ASGI server: what comes, to whom, after what, and through which outages."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, Tenant
from pmplatform.common.events import (
    EventKind,
    NewEvent,
    events_append,
    events_prune,
    events_range,
)
from pmplatform.common.models import Event
from pmplatform.common.relay import outbox_publish
from pmplatform.common.tokens import Scope
from pmplatform.routes import ROUTES
from tests.accounts.books import make_tenant
from tests.accounts.test_access_api import client_of
from tests.api.listening import listening
from tests.support.processes import live_server
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    with live_server(interface="asgi", extra={"PM_PLAIN_HTTP": "1"}) as root:
        yield root


def token_of(tenant: Tenant | None) -> str:
    return str(client_of(tenant, Scope.READ).defaults["HTTP_AUTHORIZATION"])


def emit(tenant: Tenant | None, *accounts: int) -> list[int]:
    """An event for each account, told of as the relay does."""
    told = [NewEvent(EventKind.WARNING, tenant.pk if tenant else None, {"account": pk}) for pk in accounts]
    with transaction.atomic():
        ids = events_append(events=told, now=timezone.now())
    outbox_publish(routes=ROUTES, now=timezone.now())
    return ids


def test_events_come_as_they_happen_to_the_tenant_they_are_of_and_to_the_platform(url: str) -> None:
    acme, other = make_tenant("acme"), make_tenant("other")
    with listening(url, token_of(acme)) as mine, listening(url, token_of(None)) as all_:
        [first] = emit(acme, 1)
        emit(other, 2)
        emit(None, 3)
        [last] = emit(acme, 4)
        frames = mine.take(2)
        assert [(frame.id, frame.data["data"]["account"]) for frame in frames] == [(first, 1), (last, 4)]
        assert [frame.data["data"]["account"] for frame in all_.take(4)] == [1, 2, 3, 4]


def test_a_client_that_comes_back_with_its_last_id_misses_nothing_that_is_kept(url: str) -> None:
    acme = make_tenant("acme")
    with listening(url, token_of(acme)) as client:
        emit(acme, 1)
        [seen] = client.take(1)
    emit(make_tenant("other"), 2)
    emit(acme, *range(3, 1203))
    with listening(url, token_of(acme), last_id=seen.id) as client:
        heard = [frame.data["data"]["account"] for frame in client.take(1200)]
        emit(acme, 1203)
        assert [*heard, *(frame.data["data"]["account"] for frame in client.take(1))] == [*range(3, 1204)]


def test_where_older_events_are_gone_the_client_is_told_to_read_anew(url: str) -> None:
    acme = make_tenant("acme")
    first, *_ = emit(acme, 1, 2, 3)
    Event.objects.update(at=timezone.now() - timedelta(days=2))
    [kept] = emit(acme, 4)
    events_prune(now=timezone.now())
    assert events_range() == (kept, kept)
    with listening(url, token_of(acme), last_id=first) as client:
        reset, after = client.take(2)
    assert (reset.kind, reset.id) == ("reset", kept - 1)
    assert after.id == kept


def test_without_a_hint_events_come_a_moment_later(url: str) -> None:
    acme = make_tenant("acme")
    with listening(url, token_of(acme)) as client:
        with transaction.atomic():
            events_append(events=[NewEvent(EventKind.WARNING, acme.pk, {"account": 1})], now=timezone.now())
        [frame] = client.take(1)
    assert frame.kind == EventKind.WARNING


def test_a_client_whose_token_is_revoked_is_let_go(url: str) -> None:
    with listening(url, token_of(make_tenant("acme"))) as client:
        ApiToken.objects.update(enabled=False)
        assert list(client.frames()) == []


@pytest.mark.parametrize("word", ["x", "-1", "9" * 20, "9" * 5000, "99999999"])
def test_a_last_id_that_is_none_is_refused_with_its_name(url: str, word: str) -> None:
    client = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    client.request("GET", "/api/v1/stream", headers={"Authorization": token_of(None), "Last-Event-ID": word})
    answer = client.getresponse()
    problem = json.loads(answer.read())
    client.close()
    assert answer.status == HTTPStatus.BAD_REQUEST
    assert [error["path"] for error in problem["errors"]] == ["Last-Event-ID"]


def test_without_a_token_nobody_listens(url: str) -> None:
    client = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    client.request("GET", "/api/v1/stream", headers={"Accept": "text/event-stream"})
    answer = client.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (401, "application/problem+json")
    client.close()


def test_a_process_that_serves_no_streams_says_so() -> None:
    answer = client_of(None, Scope.READ).get("/api/v1/stream")
    assert answer.status_code == HTTPStatus.MISDIRECTED_REQUEST
