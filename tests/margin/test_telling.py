"""What the stream is told of runs and of margin, to whom."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Account, Tenant
from margin.choices import RunReason, RunState
from margin.models import MarginRun
from margin.services.approvals import version_approve
from margin.services.changes import accounts_remargin
from margin.services.fills import fill_record
from margin.services.runs import run_cancel, run_fail, run_start
from margin.services.versions import version_draft, version_rollback, version_withdraw, versions_mirror
from pmplatform.common.events import EVENTS_APPENDED, EventKind, events_after
from pmplatform.common.models import AuditRow, Event, OutboxRow
from pmplatform.common.tokens import Scope
from tests.margin.desks import ACTOR, SWAP, account_of, fill
from tests.margin.proposals import ALICE, BOB, CLASSIC, NOW, classic_world, impact_of, proposal, proposed
from tests.margin.test_api import RUNS, _client
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world, newest_run

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[tuple[str, int | None, Any]]:
    """Kind, tenant and data of every event, in the order of ids."""
    return list(Event.objects.values_list("kind", "tenant", "data"))


def test_a_run_tells_the_platform_of_itself_and_each_tenant_that_its_margin_is_new() -> None:
    demo_world(3)
    other = Tenant.objects.create(slug="other", name="Other")
    parts = run_start(reason=RunReason.MANUAL)
    [(kind, tenant, data)] = told()
    assert (kind, tenant, data["state"], data["reason"]) == (EventKind.RUN, None, "stress", "manual")
    work_through(parts)
    run, [_, ended, *margins] = newest_run(), told()
    assert (ended[0], ended[1], ended[2]["state"]) == (EventKind.RUN, None, "completed")
    assert {(kind, tenant) for kind, tenant, _ in margins} == {
        (EventKind.MARGIN, pk) for pk in (Tenant.objects.get(slug="desk").pk, other.pk)
    }
    assert all(data["run"] == run.pk and data["account"] is None for _, _, data in margins)


def test_a_change_tells_its_tenant_the_accounts_new_figures() -> None:
    account_id = account_of({"USDT": "1000000"}, [(SWAP, "10", "99000")])
    work_through(run_start(reason=RunReason.SNAPSHOT))
    before = Event.objects.count()
    bought = fill(SWAP, "buy", "1", "100000")
    fill_record(account_id=account_id, fill=bought, actor=ACTOR, now=timezone.now())
    accounts_remargin(account_ids=[account_id])
    [(kind, tenant, data)] = told()[before:]
    account = Account.objects.get()
    assert (kind, tenant, data["account"]) == (EventKind.MARGIN, account.tenant_id, account_id)
    assert data["ledger_position"] == account.ledger_position
    assert (data["status"], "." in data["mmr"]) == ("normal", True)


def test_a_failed_run_is_told_once_with_the_reason() -> None:
    demo_world(2)
    run_start(reason=RunReason.MANUAL)
    for _ in range(2):
        run_fail(run_id=newest_run().pk, failure="no luck")
    assert [data["failure"] for _, _, data in told() if data["state"] == "failed"] == ["no luck"]


def test_a_cancelled_run_ends_shows_nothing_and_is_audited() -> None:
    demo_world(2)
    parts = run_start(reason=RunReason.MANUAL)
    run, client = newest_run(), _client(None, Scope.RISK, Scope.READ)
    answer = client.post(f"{RUNS}/{run.pk}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (HTTPStatus.OK, RunState.CANCELLED)
    work_through(parts)
    run.refresh_from_db()
    assert (run.state, run.results.count()) == (RunState.CANCELLED, 0)
    assert AuditRow.objects.filter(action="run.cancel", object_id=str(run.pk)).count() == 1
    assert client.post(f"{RUNS}/{run.pk}/cancel").status_code == HTTPStatus.CONFLICT
    assert client.post(f"{RUNS}/{run.pk + 1}/cancel").status_code == HTTPStatus.NOT_FOUND
    assert [data["state"] for _, _, data in told()] == ["stress", "cancelled"]


def test_a_run_is_started_once_however_often_its_key_is_sent() -> None:
    demo_world(2)
    client = _client(None, Scope.RISK)
    first, again = (client.post(RUNS, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (HTTPStatus.ACCEPTED, HTTPStatus.ACCEPTED)
    assert (first.content, again.headers["Idempotency-Replayed"]) == (again.content, "true")
    assert MarginRun.objects.count() == 1
    other = client.post(f"{RUNS}/{newest_run().pk}/cancel", headers={"Idempotency-Key": "k"})
    assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_everybody_is_told_what_becomes_of_published_parameters() -> None:
    classic_world(2)
    tenant = Tenant.objects.get()
    quiet = version_draft(document=proposal("quiet"), actor=ALICE, now=NOW)
    version_withdraw(version_id=quiet.pk, reason="no", actor=ALICE, now=NOW)
    gone, next_ = proposed(proposal("gone", "2024-12-23T08:00:00Z")), proposed()
    for version in (gone, next_):
        impact_of(version)
        version_approve(version_id=version.pk, actor=BOB, now=NOW)
    version_withdraw(version_id=gone.pk, reason="too early", actor=BOB, now=NOW)
    at = next_.effective_from
    for _ in range(2):
        versions_mirror(now=at)
    later = at + timedelta(minutes=1)
    version_rollback(methodology=CLASSIC, restores="2024-06-05", reason="wrong", actor=BOB, now=later)
    mine = events_after(last_id=0, limit=99, tenant_id=tenant.pk)
    heard = [event.data for event in mine if event.kind == EventKind.PARAMETERS]
    assert [(data["version"], data["state"]) for data in heard] == [
        ("gone", "approved"),
        ("next", "approved"),
        ("gone", "withdrawn"),
        ("next", "active"),
        ("2024-12-24T08:01:00-rollback", "active"),
    ]
    assert [data["restores"] for data in heard] == [None, None, None, None, "2024-06-05"]
    assert {event.tenant for event in mine if event.kind == EventKind.PARAMETERS} == {None}


def test_events_commit_with_what_they_tell_of_and_the_relay_is_to_announce_them() -> None:
    demo_world(2)
    run_start(reason=RunReason.MANUAL)
    before = told()
    with transaction.atomic():
        run_cancel(run_id=newest_run().pk, actor=ACTOR)
        transaction.set_rollback(True)
    assert told() == before
    assert OutboxRow.objects.filter(topic=EVENTS_APPENDED).count() == 1


def test_a_tenant_is_given_its_own_events_and_the_platform_all() -> None:
    demo_world(2)
    work_through(run_start(reason=RunReason.MANUAL))
    desk, other = Tenant.objects.get().pk, Tenant.objects.create(slug="other", name="Other").pk
    assert {event.kind for event in events_after(last_id=0, limit=9, tenant_id=desk)} == {"margin"}
    assert events_after(last_id=0, limit=9, tenant_id=other) == []
    assert len(events_after(last_id=0, limit=9)) == 3
