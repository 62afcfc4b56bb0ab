"""Writes judged account documents with their opening ledger rows, by COPY."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts import states
from accounts.choices import EligibilityState, HedgeMode, LedgerKind, Methodology, TransitionKind
from accounts.documents import AccountDocument
from accounts.models import (
    Account,
    Balance,
    EligibilityTransition,
    HedgeLimit,
    LedgerEntry,
    Order,
    Position,
)
from accounts.states import AccountSettings
from pmplatform.common.audit import Told, audit_copy
from pmplatform.common.bulk import ids_reserve, rows_copy
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor

ACCOUNTS_LOADED = "accounts.loaded"

_Row = tuple[object, ...]
_LEDGER = ("id", "account_id", "kind", "subject", "before", "after", "by", "request_id", "at")
_ORDER = (
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
_TRANSITION = (
    "id",
    "account_id",
    "kind",
    "from_state",
    "to_state",
    "methodology",
    "from_margin",
    "to_margin",
    "reasons",
    "evidence",
    "by",
    "request_id",
    "at",
)
_VOUCHED = "the loader vouches for equity and declaration"


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed instrument, as far as loading looks at it."""

    id: int
    kind: str


@dataclass(slots=True)
class _Rows:
    """The holdings of all accounts, table by table, and (account id, subject, state) for the ledger."""

    balances: list[_Row] = field(default_factory=list)
    limits: list[_Row] = field(default_factory=list)
    positions: list[_Row] = field(default_factory=list)
    orders: list[_Row] = field(default_factory=list)
    openings: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)


def accounts_open(
    *,
    tenant_id: int,
    accounts: Sequence[AccountDocument],
    listed: Mapping[str, Listed],
    actor: Actor,
    now: datetime,
) -> list[int]:
    """Insert the accounts and all they hold, inside the caller's transaction; gives their ids in order.

    The documents have to be free of faults and ``listed`` to know every instrument they name.
    """
    ids = ids_reserve(table=_table(Account), count=len(accounts))
    rows = _Rows()
    order_count = sum(len(account.orders) for account in accounts)
    order_ids = iter(ids_reserve(table=_table(Order), count=order_count))
    for account_id, account in zip(ids, accounts, strict=True):
        _collect_settings(rows, account_id, account)
        _collect_positions(rows, account_id, account, listed)
        _collect_orders(rows, account_id, account, listed, order_ids, now)
    ledger_ids = ids_reserve(table=_table(LedgerEntry), count=len(rows.openings))
    # The last ledger id of an account stays in the mapping, and is the largest.
    newest = {opening[0]: pk for pk, opening in zip(ledger_ids, rows.openings, strict=True)}
    by_id = dict(zip(ids, accounts, strict=True))
    activations = _copy_activations(tenant_id, by_id, actor, now)
    _copy_accounts(
        tenant_id, {pk: (account, newest[pk], activations.get(pk)) for pk, account in by_id.items()}, now
    )
    _copy_holdings(rows)
    _copy_ledger(zip(ledger_ids, rows.openings, strict=True), actor, now)
    outbox_append(topic=ACCOUNTS_LOADED, payload={"tenant": tenant_id, "accounts": len(ids)})
    return ids


def _settings(account: AccountDocument) -> AccountSettings:
    methodology = Methodology(account.methodology)
    is_standard = methodology == Methodology.STANDARD
    return AccountSettings(
        methodology=methodology,
        margin_methodology=methodology,
        hedge_mode=HedgeMode(account.hedge_mode) if account.hedge_mode else None,
        eligibility_state=EligibilityState.STANDARD if is_standard else EligibilityState.ACTIVE,
    )


def _collect_settings(rows: _Rows, account_id: int, account: AccountDocument) -> None:
    rows.openings.append((account_id, states.ACCOUNT_SUBJECT, _settings(account).state))
    if limits := states.hedge_limits_state(account.hedge_limits):
        rows.openings.append((account_id, states.HEDGE_LIMITS_SUBJECT, limits))
    for coin, limit in account.hedge_limits.items():
        rows.limits.append((account_id, coin, limit.ratio, limit.max_amount))
    for currency, amount in account.balances.items():
        rows.balances.append((account_id, currency, amount))
        rows.openings.append((account_id, states.balance_subject(currency), states.balance_state(amount)))


def _collect_positions(
    rows: _Rows, account_id: int, account: AccountDocument, listed: Mapping[str, Listed]
) -> None:
    for position in account.positions:
        if position.quantity:
            amounts = (position.quantity, position.entry_price)
            rows.positions.append((account_id, listed[position.instrument].id, *amounts))
            subject = states.position_subject(position.instrument)
            rows.openings.append((account_id, subject, states.position_state(*amounts)))


def _collect_orders(
    rows: _Rows,
    account_id: int,
    account: AccountDocument,
    listed: Mapping[str, Listed],
    order_ids: Iterator[int],
    now: datetime,
) -> None:
    for order in account.orders:
        order_id = next(order_ids)
        state = states.opening_order_state(order)
        terms = (order.side, order.quantity, order.quantity, order.price, state["state"], now)
        rows.orders.append((order_id, account_id, listed[order.instrument].id, "", *terms))
        rows.openings.append((account_id, states.order_subject(order_id), state))


def _copy_activations(
    tenant_id: int, accounts: Mapping[int, AccountDocument], actor: Actor, now: datetime
) -> dict[int, int]:
    """Record who vouches for each account that starts enrolled; gives the transition of each."""
    settings = {pk: _settings(account) for pk, account in accounts.items()}
    enrolled = [pk for pk in accounts if settings[pk].is_enrolled]
    ids = ids_reserve(table=_table(EligibilityTransition), count=len(enrolled))
    states_moved = (EligibilityState.STANDARD.value, EligibilityState.ACTIVE.value)
    trail = (json.dumps([_VOUCHED]), json.dumps({}), actor.name, actor.request_id, now)
    rows_copy(
        table=_table(EligibilityTransition),
        columns=_TRANSITION,
        rows=(
            (transition, pk, TransitionKind.LOADED.value, *states_moved, *_margins(settings[pk]), *trail)
            for transition, pk in zip(ids, enrolled, strict=True)
        ),
    )
    activations = dict(zip(enrolled, ids, strict=True))
    _copy_audit(tenant_id, activations, settings, actor, now)
    return activations


def _copy_audit(
    tenant_id: int,
    activations: Mapping[int, int],
    settings: Mapping[int, AccountSettings],
    actor: Actor,
    now: datetime,
) -> None:
    """The audit rows of these transitions, as those of a single one say it."""
    audit_copy(
        actor=actor,
        action=f"eligibility.{TransitionKind.LOADED}",
        object_type="account",
        tenant_id=tenant_id,
        told=(
            Told(
                pk,
                {
                    "eligibility_state": settings[pk].eligibility_state.value,
                    "methodology": settings[pk].methodology.value,
                    "margin_methodology": settings[pk].margin_methodology.value,
                    "transition": transition,
                },
                _VOUCHED,
            )
            for pk, transition in activations.items()
        ),
        now=now,
    )


def _margins(settings: AccountSettings) -> tuple[str, str, str]:
    """The methodology chosen, and those in force before and after the load."""
    return settings.methodology.value, Methodology.STANDARD.value, settings.margin_methodology.value


def _copy_accounts(
    tenant_id: int, accounts: Mapping[int, tuple[AccountDocument, int, int | None]], now: datetime
) -> None:
    settings = tuple(AccountSettings.__dataclass_fields__)
    first = ("id", "tenant_id", "code", "name", "ledger_position", "activation_id", "created_at")
    rows_copy(
        table=_table(Account),
        columns=(*first, *settings),
        rows=(
            (pk, tenant_id, account.id, account.name, *written, now, *_settings(account).state.values())
            for pk, (account, *written) in accounts.items()
        ),
    )


def _copy_holdings(rows: _Rows) -> None:
    position = ("account_id", "instrument_id", "quantity", "entry_price")
    rows_copy(table=_table(Balance), columns=("account_id", "currency", "amount"), rows=rows.balances)
    rows_copy(
        table=_table(HedgeLimit), columns=("account_id", "coin", "ratio", "max_amount"), rows=rows.limits
    )
    rows_copy(table=_table(Position), columns=position, rows=rows.positions)
    rows_copy(table=_table(Order), columns=_ORDER, rows=rows.orders)


def _copy_ledger(
    openings: Iterable[tuple[int, tuple[int, str, dict[str, Any]]]], actor: Actor, now: datetime
) -> None:
    kind, by = LedgerKind.OPENING.value, (actor.name, actor.request_id, now)
    rows_copy(
        table=_table(LedgerEntry),
        columns=_LEDGER,
        rows=(
            (pk, account_id, kind, subject, None, json.dumps(after), *by)
            for pk, (account_id, subject, after) in openings
        ),
    )


def _table(
    model: type[Account | Balance | EligibilityTransition | HedgeLimit | LedgerEntry | Order | Position],
) -> str:
    return model._meta.db_table
