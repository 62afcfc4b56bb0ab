"""The accounts that are filled by columns are those that the benchmark's engine rows margin."""

from decimal import Decimal

import pytest

from accounts.models import Account, Balance, Order, Position, Tenant
from pmplatform.benchmark.holdings import holdings
from pmplatform.benchmark.market import market
from pmplatform.benchmark.stored import accounts_fill, stage

pytestmark = pytest.mark.django_db

ACCOUNTS = 40


def test_every_number_is_stored_as_it_was_drawn() -> None:
    stage()
    accounts_fill(0, ACCOUNTS, Tenant.objects.get().pk)
    held, codes = holdings(0, ACCOUNTS, market()), market().instruments.ids
    drawn = {
        (f"B-{account}", codes[instrument]): (Decimal(repr(quantity)), Decimal(repr(entry)))
        for account, instrument, quantity, entry in zip(
            held.positions.account.tolist(),
            held.positions.instrument.tolist(),
            held.positions.quantity.tolist(),
            held.entry.tolist(),
            strict=True,
        )
    }
    rows = Position.objects.order_by("pk").values_list(
        "account__code", "instrument__code", "quantity", "entry_price"
    )
    assert {(account, code): (quantity, entry) for account, code, quantity, entry in rows} == drawn
    assert Account.objects.count() == Balance.objects.count() == ACCOUNTS
    assert Order.objects.count() == len(held.orders.account)
