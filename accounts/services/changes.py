"""The one way to change an account: lock it, write state, append the ledger, tell the outbox."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

from django.db import transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from accounts import rules, states
from accounts.choices import InstrumentState, LedgerKind
from accounts.documents import PositionDocument
from accounts.models import Account, Balance, Instrument, Position
from pmplatform.common.columns import plain_execute, plain_row, plain_value
from pmplatform.common.decimals import EXACT
from pmplatform.common.errors import FieldError, NotFound, ValidationFailed
from pmplatform.common.locking import BOUNDED, lock_refusal
from pmplatform.common.outbox import OUTBOX_INSERT, outbox_values
from pmplatform.common.principals import Actor

ACCOUNT_CHANGED: Final = "account.changed"

# Every change passes here, and none waits for Django to put these statements together: that took a quarter
# of the time of a change in the web server.
_ACCOUNT: Final = (
    *("id", "tenant_id", "code", "name", "methodology", "margin_methodology", "hedge_mode"),
    *("eligibility_state", "activation_id", "reduce_only", "in_liquidation", "ledger_position", "created_at"),
)
_LOCK: Final = """
    SELECT account.id, account.tenant_id, account.code, account.name, account.methodology,
        account.margin_methodology, account.hedge_mode, account.eligibility_state, account.activation_id,
        account.reduce_only, account.in_liquidation, account.ledger_position, account.created_at
    FROM (SELECT set_config('lock_timeout', %(lock_timeout)s, true)) AS bounded, accounts_account AS account
    WHERE account.id = %(account)s
    FOR UPDATE OF account
"""
_POSITION_MOVE: Final = """
    UPDATE accounts_position SET quantity = %(quantity)s, entry_price = %(entry_price)s WHERE id = %(id)s
"""
_BALANCE_MOVE: Final = "UPDATE accounts_balance SET amount = %(amount)s WHERE id = %(id)s"
_TERMS: Final = (
    *("id", "code", "kind", "underlying", "settle", "style"),
    *("contract_size", "expiry", "strike", "option_type", "state"),
)
_POSITION: Final = ("id", "account_id", "instrument_id", "quantity", "entry_price")
_HELD: Final = """
    SELECT terms.id, terms.code, terms.kind, terms.underlying, terms.settle, terms.style,
        terms.contract_size, terms.expiry, terms.strike, terms.option_type, terms.state,
        position.id, position.quantity, position.entry_price,
        EXISTS (
            SELECT FROM accounts_settlement AS settlement
            WHERE settlement.account_id = %(account)s AND settlement.instrument_id = terms.id
        )
    FROM accounts_instrument AS terms
    LEFT JOIN accounts_position AS position
        ON position.instrument_id = terms.id AND position.account_id = %(account)s
    WHERE terms.code = %(code)s
"""
_LEDGER: Final = """
    WITH written AS (
        INSERT INTO accounts_ledgerentry (account_id, kind, subject, before, after, by, request_id, at)
        SELECT %(account)s, %(kind)s, entry->>'subject', nullif(entry->'before', 'null'),
            nullif(entry->'after', 'null'), %(by)s, %(request)s, %(at)s
        FROM jsonb_array_elements(%(entries)s) WITH ORDINALITY AS entries (entry, place)
        ORDER BY place
        RETURNING id
    ), told AS (
"""
_MOVED: Final = """
    )
    UPDATE accounts_account SET ledger_position = (SELECT max(id) FROM written) WHERE id = %(account)s
    RETURNING ledger_position
"""
# Ledger, outbox and the account's ledger position by one statement.
_CHANGED: Final = _LEDGER + OUTBOX_INSERT + _MOVED


@dataclass(slots=True)
class Held:
    """An instrument in any state, None for an unknown code, and what an account has of it.

    ``settled`` says whether the account has settled it before.
    """

    instrument: Instrument | None = None
    position: Position | None = None
    settled: bool = False

    @classmethod
    def of(cls, account: Account, row: Sequence[Any]) -> Self:
        """Out of a row of the query."""
        *terms, position, quantity, entry_price, settled = row
        instrument = Instrument.from_db(None, _TERMS, terms)
        if position is None:
            return cls(instrument, None, settled)
        found = (position, account.pk, instrument.pk, quantity, entry_price)
        return cls(instrument, Position.from_db(None, _POSITION, found), settled)


@dataclass(slots=True)
class AccountChange:
    """An account locked for change, and the ledger rows the change has collected so far."""

    account: Account
    kind: LedgerKind
    actor: Actor
    now: datetime
    entries: list[dict[str, Any]] = field(default_factory=list)
    _held: dict[str, Held] = field(default_factory=dict)

    def held(self, code: str) -> Held:
        """An instrument and the account's position in it, read once, as the change has left it so far."""
        if code not in self._held:
            row = plain_row(query=_HELD, parameters={"account": self.account.pk, "code": code})
            self._held[code] = Held() if row is None else Held.of(self.account, row)
        return self._held[code]


@contextmanager
def account_changing(
    *, account_id: int, kind: LedgerKind, actor: Actor, now: datetime
) -> Iterator[AccountChange]:
    """Lock an account and yield the change that the writers of this package need.

    All of it commits together: state, ledger rows in the order of the writes, the account's ledger
    position, one outbox row. A change that changed nothing leaves no trace. Who changes several accounts
    at once locks them in key order first (``pmplatform.common.locking``).

    Raises
    ------
    NotFound, LockTimeout
    """
    with transaction.atomic():
        account = account_lock(account_id)
        change = AccountChange(account=account, kind=kind, actor=actor, now=now)
        yield change
        if change.entries:
            _ledger_write(change)


def account_lock(account_id: int) -> Account:
    """Lock an account until the transaction ends, as ``rows_lock`` does; NotFound, LockTimeout."""
    with lock_refusal():
        row = plain_row(query=_LOCK, parameters={"account": account_id, **BOUNDED})
    if row is None:
        raise NotFound
    return Account.from_db(None, _ACCOUNT, row)


def ledger_append(*, change: AccountChange, subject: str, before: states.State, after: states.State) -> None:
    """Add a ledger row to the change, unless nothing is different."""
    if before == after:
        return
    change.entries.append({"subject": subject, "before": before, "after": after})


def balance_set(*, change: AccountChange, currency: str, amount: Decimal) -> Balance:
    """Make the cash of a currency ``amount``; a balance of zero keeps its row."""
    faults_refuse([*rules.currency_faults(currency, "currency"), *rules.amount_faults(amount, "amount")])
    return _balance_write(change, currency, _balance_held(change, currency), amount)


def balance_add(*, change: AccountChange, currency: str, amount: Decimal) -> Balance:
    """Add a signed ``amount`` to the cash of a currency, exactly."""
    faults_refuse([*rules.currency_faults(currency, "currency"), *rules.amount_faults(amount, "amount")])
    held = _balance_held(change, currency)
    total = amount if held is None else EXACT.add(held.amount, amount)
    faults_refuse(rules.amount_faults(total, "amount"))
    return _balance_write(change, currency, held, total)


def _balance_held(change: AccountChange, currency: str) -> Balance | None:
    return Balance.objects.filter(account=change.account, currency=currency).first()


def _balance_write(change: AccountChange, currency: str, held: Balance | None, amount: Decimal) -> Balance:
    before = None if held is None else states.balance_state(held.amount)
    if held is None:
        held = Balance.objects.create(account=change.account, currency=currency, amount=amount)
    else:
        held.amount = amount
        plain_execute(query=_BALANCE_MOVE, parameters={"id": held.pk, "amount": amount})
    subject = states.balance_subject(currency)
    ledger_append(change=change, subject=subject, before=before, after=states.balance_state(amount))
    return held


def position_set(
    *, change: AccountChange, instrument: str, quantity: Decimal, entry_price: Decimal
) -> Position | None:
    """Make the position in an instrument this; a quantity of zero removes it and gives None.

    An instrument that has expired can only be closed.
    """
    held = change.held(instrument)
    row, position = held.instrument, held.position
    is_open_to_it = row is not None and (quantity == 0 or row.state == InstrumentState.LISTED)
    wanted = PositionDocument(instrument=instrument, quantity=quantity, entry_price=entry_price)
    faults_refuse(rules.position_faults(wanted, row.kind if row and is_open_to_it else None, ""))
    before = None if position is None else states.position_state(position.quantity, position.entry_price)
    after = states.position_state(quantity, entry_price) if quantity else None
    position = position or Position(account=change.account, instrument=row)
    _position_save(position, quantity, entry_price)
    subject = states.position_subject(instrument)
    ledger_append(change=change, subject=subject, before=before, after=after)
    held.position = position if quantity else None
    return held.position


def faults_refuse(faults: Iterable[FieldError]) -> None:
    """Raise ValidationFailed with all of the faults, if there is one."""
    if found := list(faults):
        raise ValidationFailed(found)


def _position_save(position: Position, quantity: Decimal, entry_price: Decimal) -> None:
    if quantity:
        position.quantity, position.entry_price = quantity, entry_price
        if position.pk is None:
            position.save()
            return
        moved = {"id": position.pk, "quantity": quantity, "entry_price": entry_price}
        plain_execute(query=_POSITION_MOVE, parameters=moved)
    elif position.pk is not None:
        position.delete()


def _ledger_write(change: AccountChange) -> None:
    """Append the rows in their order, move the account's position to the last of them, tell the outbox."""
    change.account.ledger_position = plain_value(
        query=_CHANGED,
        parameters={
            "account": change.account.pk,
            "kind": change.kind.value,
            "by": change.actor.name,
            "request": change.actor.request_id,
            "at": change.now,
            "entries": Jsonb(change.entries),
            **outbox_values(
                topic=ACCOUNT_CHANGED, payload={"account": change.account.pk}, now=timezone.now()
            ),
        },
    )
