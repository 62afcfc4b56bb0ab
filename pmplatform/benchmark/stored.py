"""The benchmark's market and accounts in the database, written by COPY as fast as it takes them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.utils import timezone

from accounts.choices import LedgerKind, Methodology
from accounts.models import Account, Balance, Instrument, LedgerEntry, Order, Position, Tenant
from accounts.services.tenants import tenant_create
from margin import selectors
from margin.models import MarketSnapshot
from margin.parameter_files import shipped_documents
from margin.services.market import parameters_load_initial, snapshot_accept
from pmplatform.benchmark.holdings import BLOCK, Holdings, holdings
from pmplatform.benchmark.market import AS_OF, market, market_document
from pmplatform.common.bulk import ids_reserve, rows_copy
from pmplatform.common.columns import Field, Rounding, bigints, columns_copy, money
from pmplatform.common.principals import Actor

ACTOR: Final = Actor(name="benchmark", request_id="benchmark")
SOURCE: Final = "benchmark"

_Values = npt.NDArray[Any]


def stage() -> MarketSnapshot:
    """Parameters, a tenant and a first snapshot in an empty database."""
    parameters_load_initial(documents=shipped_documents())
    tenant_create(slug="benchmark", name="Benchmark", actor=ACTOR)
    return snapshot_next()


def book_ensure(accounts: int) -> None:
    """The benchmark's world with so many accounts, in a database that has none or has it already."""
    if selectors.snapshot_latest() is None:
        stage()
        accounts_fill(0, accounts, Tenant.objects.get().pk)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def snapshot_next() -> MarketSnapshot:
    """The benchmark's market once more, a second later: its arrays are not those of any other snapshot."""
    last = selectors.snapshot_latest()
    as_of = AS_OF if last is None else last.as_of + timedelta(seconds=1)
    return snapshot_accept(market=market_document(), as_of=as_of, source=SOURCE, actor=ACTOR)


def accounts_fill(first: int, accounts: int, tenant: int) -> None:
    """Accounts from number `first` (a whole number of blocks) on, with an opening row in the ledger each."""
    rows = dict(Instrument.objects.order_by("pk").values_list("code", "pk"))
    places = np.array([rows[code] for code in market().instruments.ids])
    for block, start in enumerate(range(0, accounts, BLOCK), start=first // BLOCK):
        held = holdings(block, min(BLOCK, accounts - start), market())
        with transaction.atomic(), connection.cursor() as cursor:
            # As in a restored dump, what a row refers to is there: to ask for it would take most of the time.
            cursor.execute("SET LOCAL session_replication_role = replica")
            _write(held, block * BLOCK, tenant, places)


def _write(held: Holdings, first: int, tenant: int, places: _Values) -> None:
    now, count = timezone.now(), len(held)
    ids = np.array(ids_reserve(table=Account._meta.db_table, count=count))
    entries = ids_reserve(table=LedgerEntry._meta.db_table, count=count)
    okx = Methodology.OKX_2025.value
    columns = ("id", "tenant_id", "code", "name", "methodology", "margin_methodology", "eligibility_state")
    flags = ("reduce_only", "in_liquidation", "ledger_position", "created_at")
    rows_copy(
        table=Account._meta.db_table,
        columns=(*columns, *flags),
        rows=(
            (pk, tenant, f"B-{first + i}", "", okx, okx, "standard", False, False, entry, now)
            for i, (pk, entry) in enumerate(zip(ids.tolist(), entries, strict=True))
        ),
    )
    state = json.dumps({"methodology": okx})
    rows_copy(
        table=LedgerEntry._meta.db_table,
        columns=("id", "account_id", "kind", "subject", "after", "by", "request_id", "at"),
        rows=(
            (entry, pk, LedgerKind.OPENING.value, "account", state, ACTOR.name, ACTOR.request_id, now)
            for entry, pk in zip(entries, ids.tolist(), strict=True)
        ),
    )
    rows_copy(
        table=Balance._meta.db_table,
        columns=("account_id", "currency", "amount"),
        rows=((pk, "USDT", amount) for pk, amount in zip(ids.tolist(), held.cash.tolist(), strict=True)),
    )
    _write_holdings(held, ids, places, now)


def _write_holdings(held: Holdings, ids: _Values, places: _Values, now: datetime) -> None:
    positions, orders = held.positions, held.orders
    columns_copy(
        table=Position._meta.db_table,
        columns={
            "account_id": bigints(ids[positions.account]),
            "instrument_id": bigints(places[positions.instrument]),
            "quantity": _nearest(positions.quantity),
            "entry_price": _nearest(held.entry),
        },
    )
    rows_copy(
        table=Order._meta.db_table,
        columns=(
            *("account_id", "instrument_id", "quantity", "open_quantity", "price"),
            *("side", "client_id", "state", "created_at"),
        ),
        rows=(
            (account, instrument, abs(size), abs(size), price, "buy" if size > 0 else "sell", "", "open", now)
            for account, instrument, size, price in _rows(
                ids[orders.account], places[orders.instrument], orders.quantity, orders.price
            )
        ),
    )


def _nearest(values: npt.NDArray[np.float64]) -> Field:
    """Numbers of at most eight decimal places, exactly: the float64 of one may be just below it."""
    return money(np.nextafter(values, np.inf), Rounding.DOWN)


def _rows(*columns: _Values) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)
