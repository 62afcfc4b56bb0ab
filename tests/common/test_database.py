"""What PostgreSQL itself guarantees: append-only trails, exact amounts, locks in order, one claim a row."""

import os
import threading
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.backends.postgresql import base

from accounts.models import Tenant
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import LockTimeout, NotFound
from pmplatform.common.fields import AmountField
from pmplatform.common.locking import rows_lock
from pmplatform.common.models import AuditRow, OutboxRow
from pmplatform.common.outbox import (
    CHANNEL,
    MAX_ATTEMPTS,
    outbox_append,
    outbox_claim,
    outbox_mark_failed,
    outbox_mark_published,
)
from pmplatform.common.principals import Actor
from tests.support.waiting import PATIENCE_SECONDS

ACTOR = Actor(name="user:ada", request_id="r-1")
NOW = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    ["UPDATE common_auditrow SET actor = 'eve'", "DELETE FROM common_auditrow", "TRUNCATE common_auditrow"],
)
def test_the_audit_trail_refuses_every_change(statement: str) -> None:
    audit_append(actor=ACTOR, action="x.y", object_type="x", object_id=1, tenant_id=None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)
    assert AuditRow.objects.get().actor == "user:ada"


def test_an_amount_with_too_many_digits_is_refused_before_the_database_rounds_it() -> None:
    with pytest.raises(ValueError, match="18 decimal places"):
        AmountField(name="price").get_db_prep_save(Decimal("1e-19"), connection)


@pytest.mark.django_db
def test_an_unpublished_outbox_row_has_no_time_of_publication() -> None:
    with pytest.raises(IntegrityError, match="outbox_published_has_time"), transaction.atomic():
        OutboxRow.objects.create(topic="t", payload={}, published_at=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_relays_never_claim_the_same_row() -> None:
    rows = [outbox_append(topic="t", payload={"id": number}) for number in range(3)]
    others: list[int] = []

    def other_relay() -> None:
        with transaction.atomic():
            others.extend(row.pk for row in outbox_claim(now=NOW, limit=10))
        connection.close()

    with transaction.atomic():
        mine = outbox_claim(now=NOW, limit=2)
        thread = threading.Thread(target=other_relay)
        thread.start()
        thread.join()
        outbox_mark_published(rows=mine, now=NOW)
    assert [row.pk for row in mine] == [row.pk for row in rows[:2]]
    assert others == [rows[2].pk]


@pytest.mark.django_db
def test_a_published_row_is_claimed_no_more() -> None:
    outbox_append(topic="t", payload={"id": 1})
    outbox_mark_published(rows=outbox_claim(now=NOW, limit=1), now=NOW)
    assert outbox_claim(now=NOW, limit=1) == []


@pytest.mark.django_db
def test_a_row_that_fails_waits_longer_each_time_and_is_dead_in_the_end() -> None:
    outbox_append(topic="t", payload={"id": 1})
    now, waits = NOW, []
    while rows := outbox_claim(now=now, limit=1):
        outbox_mark_failed(row=rows[0], error="no broker", now=now)
        rows[0].refresh_from_db()
        waits.append((rows[0].available_at - now).total_seconds())
        now = rows[0].available_at
    dead = OutboxRow.objects.get()
    assert (dead.state, dead.attempts, dead.last_error) == ("dead", MAX_ATTEMPTS, "no broker")
    assert waits == [1, 2, 4, 8, 16]


@pytest.mark.django_db(transaction=True)
def test_an_insert_into_the_outbox_notifies_listeners_at_commit() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
        with transaction.atomic():
            outbox_append(topic="t", payload={"id": 1})
        assert connection.connection is not None
        heard = list(connection.connection.notifies(timeout=PATIENCE_SECONDS, stop_after=1))
    assert [notice.channel for notice in heard] == [CHANNEL]


@pytest.mark.django_db(transaction=True)
def test_a_lock_held_elsewhere_times_out_with_an_error_of_its_own() -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    outcome: list[type[Exception]] = []

    def impatient() -> None:
        try:
            with transaction.atomic():
                rows_lock(queryset=Tenant.objects.all(), ids=[tenant.pk], timeout_ms=50)
        except LockTimeout as error:
            outcome.append(type(error))
        connection.close()

    with transaction.atomic():
        rows_lock(queryset=Tenant.objects.all(), ids=[tenant.pk])
        thread = threading.Thread(target=impatient)
        thread.start()
        thread.join()
    assert outcome == [LockTimeout]


@pytest.mark.django_db
def test_locked_rows_come_in_key_order_and_all_of_them_or_none() -> None:
    pks = [Tenant.objects.create(slug=f"t{number}", name="T").pk for number in range(3)]
    locked = rows_lock(queryset=Tenant.objects.all(), ids=reversed(pks))
    assert [tenant.pk for tenant in locked] == pks
    with pytest.raises(NotFound):
        rows_lock(queryset=Tenant.objects.all(), ids=[pks[0], 10**12])


@pytest.mark.django_db(transaction=True)
def test_a_kept_connection_is_asked_for_life_only_when_something_has_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection.ensure_connection()
    asked: list[bool] = []
    django_asks = base.DatabaseWrapper.is_usable

    def is_usable(self: base.DatabaseWrapper) -> bool:
        asked.append(django_asks(self))
        return asked[-1]

    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", is_usable)
    assert connection.is_usable()
    assert asked == []
    assert connection.connection is not None
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
    assert not connection.is_usable()
    assert asked == [False]
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_connection_in_a_failed_transaction_cannot_be_used() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor, pytest.raises(IntegrityError):
            cursor.execute("INSERT INTO accounts_tenant (slug) VALUES (NULL)")
        assert not connection.is_usable()
        transaction.set_rollback(True)
    assert connection.is_usable()
