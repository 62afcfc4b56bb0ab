"""A write with an Idempotency-Key has one effect, whoever repeats it and when."""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.response import Response

from accounts.models import Account, LedgerEntry
from accounts.services.tokens import token_create
from pmplatform.common.models import IdempotencyRecord, OutboxRow
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR, make_tenant
from tests.support.client import TlsClient

BODY = {"code": "A-1", "methodology": "okx-2025"}
Post = Callable[..., Response]


@pytest.fixture
def post(transactional_db: None) -> Post:
    token = token_create(
        tenant=make_tenant("acme"),
        scopes=frozenset({Scope.READ, Scope.TRADE}),
        days=1,
        actor=ACTOR,
        now=timezone.now(),
    ).text

    def post_account(body: dict[str, str], key: str | None) -> Response:
        headers = {"Authorization": f"Bearer {token}"} | ({"Idempotency-Key": key} if key else {})
        response: Response = TlsClient().post("/api/v1/accounts", body, headers=headers)
        return response

    return post_account


def test_the_same_key_and_body_get_the_same_bytes_and_one_effect(post: Post) -> None:
    first, second = post(BODY, "k-1"), post(BODY, "k-1")
    assert (first.status_code, second.status_code) == (HTTPStatus.CREATED, HTTPStatus.CREATED)
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert (Account.objects.count(), LedgerEntry.objects.count(), OutboxRow.objects.count()) == (1, 1, 1)


def test_the_order_of_members_does_not_make_another_body(post: Post) -> None:
    post(BODY, "k-1")
    assert post(dict(reversed(BODY.items())), "k-1").status_code == HTTPStatus.CREATED


def test_the_same_key_with_another_body_is_refused(post: Post) -> None:
    post(BODY, "k-1")
    refused = post(BODY | {"code": "A-2"}, "k-1")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert json.loads(refused.content)["type"] == "urn:pmplatform:problem:idempotency-key-reused"
    assert Account.objects.count() == 1


def test_a_failed_write_keeps_nothing_and_may_be_tried_again(post: Post) -> None:
    assert post(BODY | {"methodology": "unknown"}, "k-1").status_code == HTTPStatus.BAD_REQUEST
    assert not IdempotencyRecord.objects.exists()
    assert post(BODY, "k-1").status_code == HTTPStatus.CREATED


@pytest.mark.parametrize(
    "table", ["accounts_account", "accounts_ledgerentry", "common_outboxrow", "common_idempotencyrecord"]
)
def test_a_write_its_trail_and_its_key_are_stored_together_or_not_at_all(post: Post, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (false) NOT VALID")
        try:
            assert post(BODY, "k-1").status_code >= HTTPStatus.BAD_REQUEST
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT refused")
    for model in (Account, LedgerEntry, OutboxRow, IdempotencyRecord):
        assert not model.objects.exists()
    assert post(BODY, "k-1").status_code == HTTPStatus.CREATED


def test_without_a_key_a_repeated_write_meets_its_own_conflict(post: Post) -> None:
    assert post(BODY, None).status_code == HTTPStatus.CREATED
    assert post(BODY, None).status_code == HTTPStatus.CONFLICT


def test_a_malformed_key_is_refused(post: Post) -> None:
    refused = post(BODY, "k" * 129)
    assert refused.status_code == HTTPStatus.BAD_REQUEST
    assert json.loads(refused.content)["errors"][0]["path"] == "Idempotency-Key"


def test_fifty_concurrent_requests_with_one_key_have_one_effect(post: Post) -> None:
    together = threading.Barrier(50)
    answers: list[tuple[int, bytes]] = []

    def send() -> None:
        together.wait()
        response = post(BODY, "k-1")
        answers.append((response.status_code, response.content))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 50
    assert set(answers) == {(201, answers[0][1])}
    assert (Account.objects.count(), LedgerEntry.objects.count(), OutboxRow.objects.count()) == (1, 1, 1)
