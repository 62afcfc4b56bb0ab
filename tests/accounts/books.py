"""A small world for the tests of accounts: instruments, tenants, account documents."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.documents import InstrumentDocument
from accounts.models import Tenant
from accounts.services.instruments import instruments_upsert
from accounts.services.loading import accounts_load
from pmplatform.common.principals import Actor, Principal
from pmplatform.common.tokens import Scope

NOW = datetime(2025, 1, 15, 10, 26, 41, tzinfo=UTC)
ACTOR = Actor(name="user:tester", request_id="r-1")
SWAP, CALL, SPOT = "BTC-USDT-SWAP", "BTC-USD-250328-100000-C", "BTC-USDT"


def list_instruments() -> dict[str, int]:
    swap = InstrumentDocument(SWAP, "perpetual", "BTC", "USDT", contract_size=Decimal("0.01"), style="linear")
    call = InstrumentDocument(
        CALL,
        "option",
        "BTC",
        "BTC",
        contract_size=Decimal("0.01"),
        style="inverse",
        expiry=datetime(2025, 3, 28, 8, tzinfo=UTC),
        strike=Decimal(100_000),
        option_type="call",
    )
    return instruments_upsert(instruments=[swap, call, InstrumentDocument(SPOT, "spot", "BTC", "USDT")])


def account_document(code: str = "A-1", **changes: Any) -> dict[str, Any]:
    document = {
        "id": code,
        "methodology": "okx-2025",
        "hedge_mode": "spot_hedge",
        "hedge_limits": {"BTC": {"ratio": "0.5", "max_amount": None}},
        "balances": {"USDT": "100.000000000000000001", "BTC": "1.5"},
        "positions": [
            {"instrument": SWAP, "quantity": "-10", "entry_price": "100000"},
            {"instrument": CALL, "quantity": "3", "entry_price": "0.05"},
        ],
        "orders": [{"instrument": SWAP, "side": "buy", "quantity": "5", "price": "90000"}],
    }
    return document | changes


def make_tenant(slug: str) -> Tenant:
    return Tenant.objects.create(slug=slug, name=slug.title())


def load(tenant: Tenant, *documents: dict[str, Any]) -> list[int]:
    return accounts_load(tenant_id=tenant.pk, documents=documents, actor=ACTOR, now=NOW)


def principal_in(tenant: Tenant | None) -> Principal:
    tenant_id = tenant.pk if tenant else None
    return Principal("token:test", tenant_id, frozenset({Scope.READ}), writable_tenants=frozenset())
