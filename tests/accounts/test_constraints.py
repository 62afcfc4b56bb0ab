"""The database refuses by name what no service should ever try."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from accounts.models import (
    Account,
    ApiToken,
    Balance,
    HedgeLimit,
    Instrument,
    Order,
    Position,
    Tenant,
    TenantGrant,
    User,
)

pytestmark = pytest.mark.django_db

EXPIRY = datetime(2030, 1, 1, tzinfo=UTC)
SWAP = {"code": "S", "kind": "perpetual", "underlying": "BTC", "settle": "USDT", "style": "linear"} | {
    "contract_size": 1
}
OPTION = SWAP | {"kind": "option", "expiry": EXPIRY, "strike": 1, "option_type": "call"}


def refused(constraint: str, row: models.Model) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row.save()


@pytest.mark.parametrize(
    ("constraint", "terms"),
    [
        ("instrument_kind_known", SWAP | {"kind": "swap"}),
        ("instrument_contract_size_positive", SWAP | {"contract_size": 0}),
        ("instrument_style_of_derivatives_only", SWAP | {"style": None}),
        ("instrument_style_of_derivatives_only", SWAP | {"kind": "spot"}),
        ("instrument_style_of_derivatives_only", SWAP | {"kind": "spot", "style": None, "contract_size": 2}),
        ("instrument_settle_fits_style", SWAP | {"settle": "BTC"}),
        ("instrument_settle_fits_style", SWAP | {"style": "inverse"}),
        ("instrument_expiry_of_dated_only", SWAP | {"expiry": EXPIRY}),
        ("instrument_expiry_of_dated_only", OPTION | {"expiry": None}),
        ("instrument_strike_of_options_only", OPTION | {"strike": None}),
        ("instrument_strike_of_options_only", OPTION | {"strike": 0}),
        ("instrument_strike_of_options_only", OPTION | {"option_type": "straddle"}),
        ("instrument_strike_of_options_only", SWAP | {"strike": 1}),
        ("instrument_undated_never_expires", SWAP | {"state": "expired"}),
        ("instrument_state_known", SWAP | {"state": "halted"}),
    ],
)
def test_an_instrument_has_the_fields_of_its_kind(constraint: str, terms: dict[str, Any]) -> None:
    refused(constraint, Instrument(**terms))


@pytest.fixture
def account() -> Account:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    return Account.objects.create(
        tenant=tenant, code="A-1", methodology="okx-2025", margin_methodology="standard"
    )


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("account_methodology_known", {"methodology": "x", "margin_methodology": "x"}),
        ("account_margined_by_choice_or_standard", {"margin_methodology": "bybit-uta"}),
        ("account_hedge_mode_fits_methodology", {"hedge_mode": "spot_usdt"}),
        ("account_eligibility_known", {"eligibility_state": "happy"}),
        ("account_code_not_empty", {"code": ""}),
        ("account_code_once_in_tenant", {"pk": None}),
    ],
)
def test_an_account_is_coherent(account: Account, constraint: str, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(account, name, value)
    refused(constraint, account)


def test_what_an_account_holds_is_coherent(account: Account) -> None:
    swap = Instrument.objects.create(**SWAP)
    held = {"account": account, "instrument": swap}
    order = held | {"side": "buy", "quantity": 5, "open_quantity": 5, "price": 1}
    Balance.objects.create(account=account, currency="USDT", amount=1)
    Position.objects.create(**held, quantity=1, entry_price=1)
    Order.objects.create(**order, client_id="c-1")
    refused("balance_once_per_currency", Balance(account=account, currency="USDT", amount=2))
    refused("position_once_per_instrument", Position(**held, quantity=1, entry_price=1))
    refused("position_not_flat", Position(**held, quantity=0, entry_price=1))
    refused("position_entry_price_not_negative", Position(**held, quantity=1, entry_price=-1))
    refused("order_client_id_once", Order(**order, client_id="c-1"))
    refused("order_side_known", Order(**order | {"side": "hold"}))
    refused(
        "order_quantity_positive", Order(**order | {"quantity": 0, "open_quantity": 0, "state": "filled"})
    )
    refused("order_open_within_quantity", Order(**order | {"open_quantity": 6}))
    refused("order_state_fits_open_quantity", Order(**order | {"open_quantity": 0}))
    refused("order_state_fits_open_quantity", Order(**order | {"state": "filled"}))
    refused("hedge_limit_ratio_in_unit", HedgeLimit(account=account, coin="BTC", ratio=2))
    refused("hedge_limit_amount_not_negative", HedgeLimit(account=account, coin="BTC", max_amount=-1))


def test_people_and_tokens_are_coherent(account: Account) -> None:
    tenant = account.tenant
    refused("user_of_tenant_is_no_superuser", User(username="ada", tenant=tenant, is_superuser=True))
    staff = User.objects.create(username="eve")
    refused("tenant_grant_has_reason", TenantGrant(user=staff, tenant=tenant, granted_by=staff, reason=""))
    token = {"public_id": "1", "digest": "0" * 64, "expires_at": EXPIRY, "scopes": ["read"]}
    refused("api_token_scopes_known", ApiToken(**token | {"scopes": []}))
    refused("api_token_scopes_known", ApiToken(**token | {"scopes": ["root"]}))
    refused("api_token_digest_hex", ApiToken(**token | {"digest": "secret"}))
    refused("tenant_slug_plain", Tenant(slug="a b", name="x"))
