"""Turns checked account documents into rows for COPY; ids are reserved first, so that rows can refer."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from accounts import states
from accounts.choices import EligibilityState, HedgeMode, LedgerKind, Methodology, OrderState
from accounts.documents import AccountDocument
from accounts.models import Account, Balance, HedgeLimit, LedgerEntry, Order, Position
from accounts.states import AccountSettings
from pmplatform.common.bulk import ids_reserve, rows_copy
from pmplatform.common.principals import Actor

Row = tuple[object, ...]

_ACCOUNT_COLUMNS = (
    "id",
    "tenant_id",
    "code",
    "name",
    "ledger_position",
    "created_at",
    "methodology",
    "margin_methodology",
    "hedge_mode",
    "eligibility_state",
    "reduce_only",
    "in_liquidation",
)
_LEDGER_COLUMNS = ("id", "account_id", "kind", "subject", "before", "after", "by", "request_id", "at")
_HEDGE_LIMIT_COLUMNS = ("account_id", "coin", "ratio", "max_amount")
_BALANCE_COLUMNS = ("account_id", "currency", "amount")
_POSITION_COLUMNS = ("account_id", "instrument_id", "quantity", "entry_price")
_ORDER_COLUMNS = (
    "id",
    "account_id",
    "instrument_id",
    "client_id",
    "side",
    "quantity",
    "open_quantity",
    "price",
    "state",
    "created_at",
)


class Listed(NamedTuple):
    """What a load needs to know of an instrument: its row id and kind."""

    pk: int
    kind: str


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What all accounts of a load have in common; ``instruments`` by code."""

    tenant_id: int
    eligibility_state: EligibilityState
    actor: Actor
    now: datetime
    instruments: Mapping[str, Listed]


@dataclass(slots=True)
class _Batch:
    """Rows by table; ledger rows still lack their ids."""

    accounts: list[Row] = field(default_factory=list)
    hedge_limits: list[Row] = field(default_factory=list)
    balances: list[Row] = field(default_factory=list)
    positions: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)


def accounts_copy(documents: Sequence[AccountDocument], context: LoadContext) -> tuple[int, int]:
    """Write the accounts and all their rows; give the first and last ledger position of the batch."""
    account_ids = ids_reserve(table=_table(Account), count=len(documents))
    orders = [_orders(document, context) for document in documents]
    order_ids = iter(ids_reserve(table=_table(Order), count=sum(map(len, orders))))
    batch = _Batch()
    ledger: list[list[tuple[str, str]]] = []
    for account_id, document, placed in zip(account_ids, documents, orders, strict=True):
        for order in placed:
            order.pk, order.account_id = next(order_ids), account_id
        _holdings_append(batch, account_id, document, placed, context)
        ledger.append(list(_opening_states(document, placed, context)))
    ledger_ids = ids_reserve(table=_table(LedgerEntry), count=sum(map(len, ledger)))
    ledger_rows = _accounts_append(batch, account_ids, documents, ledger, ledger_ids, context)
    _batch_copy(batch, ledger_rows)
    return ledger_ids[0], ledger_ids[-1]


def _table(model: Any) -> str:
    return str(model._meta.db_table)
