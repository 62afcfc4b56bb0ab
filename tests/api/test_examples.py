"""The documentation's examples, run as they stand against real servers."""

import re
import subprocess
from pathlib import Path

import pytest

from accounts.models import Account, Tenant, Transfer, Webhook
from margin.choices import RunReason
from margin.services.runs import run_start
from pmplatform.common.tokens import Scope
from tests.accounts.test_access_api import client_of
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world
from tests.support.processes import CHECKOUT, live_server
from tests.support.waiting import PATIENCE_SECONDS

PAGE = CHECKOUT / "docs" / "api.md"


def blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.django_db(transaction=True)
def test_every_example_of_the_page_does_what_it_says(tmp_path: Path) -> None:
    demo_world(3)
    work_through(run_start(reason=RunReason.MANUAL))
    token = client_of(Tenant.objects.get(), Scope.READ, Scope.TRADE).defaults["HTTP_AUTHORIZATION"]
    script = tmp_path / "examples.sh"
    script.write_text("set -euo pipefail\n" + "\n".join(blocks()), encoding="utf-8")
    plain = {"PM_PLAIN_HTTP": "1"}
    with live_server(extra=plain) as web, live_server(interface="asgi", extra=plain) as stream:
        done = subprocess.run(
            ["bash", str(script)],
            env={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "API": f"{web}/api/v1",
                "STREAM": f"{stream}/api/v1/stream",
                "TOKEN": token.removeprefix("Bearer "),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-3_000:]
    for word in ('"code":"0"', '"retCode":0', "event: margin", '"redis":"up"', "RateLimit"):
        assert word.lower() in done.stdout.lower(), word
    assert '{"path":"colour","message":"is not a known field"}' in done.stdout
    assert Transfer.objects.count() == 1, "asked twice, done once"
    assert Webhook.objects.count() == 1
    assert Account.objects.count() == 3
