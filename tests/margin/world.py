"""A small world in the database: parameters, a market snapshot, a tenant with accounts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from accounts.models import Tenant
from accounts.services.loading import accounts_load
from margin.models import MarginRun, MarketSnapshot
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial, snapshot_accept
from pmplatform.common.principals import Actor
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.market import DemoMarket

AS_OF = datetime(2025, 2, 3, 10, 0, tzinfo=UTC)
ACTOR = Actor(name="tests", request_id="world")
SEED = 7


def demo_market_document() -> dict[str, Any]:
    """The market object of the demo world at `AS_OF`."""
    return DemoMarket(SEED, AS_OF).document()


def world(
    market: Mapping[str, Any], as_of: datetime, accounts: Sequence[Mapping[str, Any]]
) -> MarketSnapshot:
    """Store parameters, snapshot and accounts; returns the snapshot."""
    parameters_load_initial(documents=shipped_documents())
    snapshot = snapshot_accept(market=market, as_of=as_of, source="tests", actor=ACTOR)
    tenant, _ = Tenant.objects.get_or_create(slug="desk", defaults={"name": "Desk"})
    accounts_load(tenant_id=tenant.pk, documents=list(accounts), actor=ACTOR, now=as_of)
    return snapshot


def demo_world(count: int) -> MarketSnapshot:
    """The demo world with `count` accounts."""
    market = demo_market_document()
    return world(market, AS_OF, [account.document for account in demo_accounts(market, count, SEED)])


def newest_run() -> MarginRun:
    """The run started last."""
    return MarginRun.objects.latest("id")
