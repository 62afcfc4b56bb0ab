"""Health: who may ask, and what an outage looks like."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from pmplatform.common.models import OutboxRow
from pmplatform.common.outbox import outbox_append
from pmplatform.common.tokens import Scope
from tests.accounts.books import make_tenant
from tests.accounts.test_access_api import client_of
from tests.margin.world import demo_world
from tests.support.client import TlsClient

pytestmark = pytest.mark.django_db
HEALTH = "/api/v1/health"


def test_anybody_may_ask_whether_a_process_lives_and_can_serve() -> None:
    assert TlsClient().get(f"{HEALTH}/live").json() == {"status": "live"}
    assert TlsClient().get(f"{HEALTH}/ready").json() == {"database": "up", "redis": "up"}


def test_without_redis_the_platform_serves_on_and_says_so(settings: Settings) -> None:
    settings.PM_REDIS_URL = "redis://127.0.0.1:1/0"
    assert TlsClient().get(f"{HEALTH}/ready").json() == {"database": "up", "redis": "down"}
    assert client_of(None, Scope.READ).get("/api/v1/accounts").status_code == HTTPStatus.OK


def test_the_figures_are_prometheus_text_for_the_platform_alone() -> None:
    demo_world(1)
    row = outbox_append(topic="test", payload={})
    OutboxRow.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(seconds=90))
    answer = client_of(None, Scope.READ).get(f"{HEALTH}/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.content.decode())
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }
    assert found["pm_outbox_oldest_seconds",] == pytest.approx(90, abs=10)
    assert found["pm_outbox", "pending"] >= 1
    assert found["pm_snapshot_age_seconds",] > 1e6, "the market of the test's world is old"
    assert (found["pm_market_fresh",], found["pm_runs", "completed"]) == (0, 0)
    assert client_of(make_tenant("acme"), Scope.READ).get(f"{HEALTH}/metrics").status_code == 403
    assert TlsClient().get(f"{HEALTH}/metrics").status_code == HTTPStatus.UNAUTHORIZED
