"""Requests made up from the schema, as a client without manners would send them, to a real server."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Account, Tenant
from accounts.services.webhooks import webhook_create
from margin.choices import RunReason
from margin.models import MarginRun, MarketSnapshot, ParameterVersion
from margin.services.runs import run_start
from pmplatform.common.tokens import Scope
from tests.accounts.books import ACTOR
from tests.accounts.test_access_api import client_of
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world
from tests.support.processes import live_server

CONFIG = Path(__file__).parent / "schemathesis.toml"


def _one_of_everything() -> dict[str, int]:
    """A world whose rows the paths of requests name."""
    demo_world(3)
    work_through(run_start(reason=RunReason.MANUAL))
    hook = webhook_create(
        tenant=Tenant.objects.get(),
        url="https://desk.example.org/",
        events=["margin"],
        actor=ACTOR,
        now=timezone.now(),
    )
    return {
        "account_id": Account.objects.earliest("id").pk,
        "run_id": MarginRun.objects.get().pk,
        "sequence": MarketSnapshot.objects.get().pk,
        "version_id": ParameterVersion.objects.filter(methodology="okx-classic").latest("id").pk,
        "webhook_id": hook.row.pk,
    }


@pytest.mark.django_db(transaction=True)
def test_no_request_of_any_kind_breaks_what_the_schema_says(tmp_path: Path) -> None:
    ids = [f'"path.{name}" = {number}' for name, number in _one_of_everything().items()]
    config = tmp_path / CONFIG.name
    config.write_text(CONFIG.read_text(encoding="utf-8") + "\n".join(ids), encoding="utf-8")
    token = client_of(None, *Scope).defaults["HTTP_AUTHORIZATION"]
    with live_server(extra={"PM_PLAIN_HTTP": "1", "PM_RATE_LIMIT": "1000000"}) as url:
        command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run"]
        options = ["--no-color", "--checks=all", f"--header=Authorization: {token}"]
        done = subprocess.run(
            [*command, f"{url}/api/schema", *options],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "No issues found" in done.stdout
