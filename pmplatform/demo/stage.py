"""The demo world in the database: its accounts once, and its market as time goes by."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.contrib.auth import get_user_model

from accounts.choices import Methodology
from accounts.declaration_files import shipped_declaration
from accounts.services.eligibility import declaration_publish
from accounts.services.loading import accounts_load
from accounts.services.tenants import tenant_create, tenant_grant, user_create
from margin import selectors
from margin.assembly import market_document
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial, snapshot_accept
from pmplatform.common.principals import Actor
from pmplatform.demo.accounts import demo_accounts
from pmplatform.demo.login import USERNAME
from pmplatform.demo.market import DemoMarket

SOURCE: Final = "demo"
ACTOR: Final = Actor(name="demo", request_id="demo")


def stage(
    *, accounts: int, seed: int, now: datetime, methodologies: Sequence[Methodology] = (Methodology.OKX_2025,)
) -> bool:
    """Load parameters, a declaration, a tenant, a user, a market and accounts into an empty database.

    The accounts take the methodologies in turn. Returns False, and changes nothing, where the demo world
    stands already.
    """
    if selectors.snapshot_latest() is not None:
        return False
    parameters_load_initial(documents=shipped_documents())
    market = DemoMarket(seed, now).document()
    snapshot_accept(market=market, as_of=now, source=SOURCE, actor=ACTOR)
    version, text = shipped_declaration()
    declaration_publish(version=version, text=text, actor=ACTOR, now=now)
    tenant = tenant_create(slug="demo-desk", name="Demo desk", actor=ACTOR)
    documents = [
        account.document | {"methodology": methodologies[number % len(methodologies)].value}
        for number, account in enumerate(demo_accounts(market, accounts, seed))
    ]
    accounts_load(tenant_id=tenant.pk, documents=documents, actor=ACTOR, now=now)
    if not get_user_model().objects.filter(username=USERNAME).exists():
        user = user_create(
            username=USERNAME, password=secrets.token_urlsafe(32), tenant=None, is_superuser=True, actor=ACTOR
        )
        tenant_grant(user=user, tenant=tenant, granted_by=user, reason="the demo's own desk", actor=ACTOR)
    return True


def market_standing(*, seed: int) -> DemoMarket:
    """The demo's market as its newest snapshot has it."""
    snapshot = selectors.snapshot_latest_from(SOURCE)
    if snapshot is None:
        raise LookupError("the demo world is not staged")
    return DemoMarket.continued(seed, snapshot.as_of, market_document(bytes(snapshot.content)))
