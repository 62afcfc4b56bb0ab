"""A console with people, a market of this moment, and an account past its liquidation threshold."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Account, Tenant
from accounts.services.tenants import tenant_grant
from liquidation.execution.paper import PaperPort
from liquidation.services.work import case_work
from margin.choices import RunReason
from margin.services.runs import run_start
from pmplatform.console.roles import Role
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket
from tests.console.people import ACTOR, person
from tests.margin.test_runs import work_through
from tests.margin.world import SEED, world
from tests.support.client import TlsClient
from tests.support.console import enter
from tests.support.processes import live_server

_CODE: Final = "STORY-1"
_SWAP: Final = "BTC-USDT-SWAP"


@dataclass
class Stage:
    """The console's origin, the distressed account, and the sessions of people by name."""

    origin: str
    distressed: Account
    sessions: dict[str, str] = field(default_factory=dict)

    def admit(self, name: str, *roles: Role) -> Any:
        """Somebody with these roles and a grant for the tenant, who has come in by both factors."""
        user = person(name, *roles)
        root = person(f"root-{name}", is_superuser=True)
        tenant = Tenant.objects.get()
        tenant_grant(user=user, tenant=tenant, granted_by=root, reason="tests", actor=ACTOR)
        client = enter(TlsClient(), user)
        self.sessions[name] = client.cookies["sessionid"].value
        return user


@contextmanager
def staged(static: Path) -> Iterator[Stage]:
    """A small demo world of this moment, margined twice, and a server in front of it."""
    call_command("collectstatic", "--noinput", verbosity=0)
    now = timezone.now()
    market = DemoMarket(SEED, now).document()
    others = [account.document for account in demo_accounts(market, 11, SEED)]
    world(market, now, [_distressed(market), *others])
    for _ in range(2):
        work_through(run_start(reason=RunReason.MANUAL))
    with live_server(static=static) as origin:
        yield Stage(origin, Account.objects.get(code=_CODE))


def _distressed(market: dict[str, Any]) -> dict[str, Any]:
    """Long bitcoin, with a twentieth of its value as equity."""
    row = next(row for row in market["instruments"] if row["id"] == _SWAP)
    contracts = 1_000
    value = contracts * float(row["contract_size"]) * float(row["mark"])
    position = {"instrument": _SWAP, "quantity": str(contracts), "entry_price": str(row["mark"])}
    return {
        "id": _CODE,
        "methodology": "okx-2025",
        "hedge_mode": "spot_hedge",
        "hedge_limits": {},
        "balances": {"USDT": f"{0.05 * value:.2f}"},
        "positions": [position],
        "orders": [],
    }


def authenticator(user: Any) -> TOTPDevice:
    """A confirmed authenticator whose codes the test can tell."""
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name="authenticator", confirmed=True)


def work_cases() -> None:
    """What the workers would do with the cases now, on paper."""
    while case_work(port=PaperPort(), clock=timezone.now):
        pass
