"""The one way to change an account: lock it, write state, append the ledger, tell the outbox."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction
from psycopg.types.json import Jsonb

from accounts import rules, states
from accounts.choices import InstrumentState, LedgerKind
from accounts.documents import PositionDocument
from accounts.models import Account, Balance, Instrument, Position
from pmplatform.common.columns import plain_value
from pmplatform.common.decimals import EXACT
from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.locking import rows_lock
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor

ACCOUNT_CHANGED: Final = "account.changed"

_LEDGER: Final = """
    WITH written AS (
        INSERT INTO accounts_ledgerentry (account_id, kind, subject, before, after, by, request_id, at)
        SELECT %(account)s, %(kind)s, entry->>'subject', nullif(entry->'before', 'null'),
            nullif(entry->'after', 'null'), %(by)s, %(request)s, %(at)s
        FROM jsonb_array_elements(%(entries)s) WITH ORDINALITY AS entries (entry, place)
        ORDER BY place
        RETURNING id
    )
    UPDATE accounts_account SET ledger_position = (SELECT max(id) FROM written) WHERE id = %(account)s
    RETURNING ledger_position
"""


@dataclass(slots=True)
class AccountChange:
    """An account locked for change, and the ledger rows the change has collected so far."""

    account: Account
    kind: LedgerKind
    actor: Actor
    now: datetime
    entries: list[dict[str, Any]] = field(default_factory=list)
    _instruments: dict[str, Instrument | None] = field(default_factory=dict)
    _positions: dict[str, Position | None] = field(default_factory=dict)

    def instrument(self, code: str) -> Instrument | None:
        """An instrument in any state, read once for the change; None for an unknown code."""
        if code not in self._instruments:
            self._instruments[code] = Instrument.objects.filter(code=code).first()
        return self._instruments[code]

    def position(self, code: str) -> Position | None:
        """The account's position in an instrument as the change has left it so far; None for none."""
        if code not in self._positions:
            held = Position.objects.filter(account=self.account, instrument=self.instrument(code))
            self._positions[code] = held.first()
        return self._positions[code]

    def position_is(self, code: str, position: Position | None) -> None:
        """Note what `position_set` has made of a position."""
        self._positions[code] = position


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
        [account] = rows_lock(queryset=Account.objects.all(), ids=[account_id])
        change = AccountChange(account=account, kind=kind, actor=actor, now=now)
        yield change
        if change.entries:
            _ledger_write(change)


def ledger_append(*, change: AccountChange, subject: str, before: states.State, after: states.State) -> None:
    """Add a ledger row to the change, unless nothing is different."""
    if before == after:
        return
    change.entries.append({"subject": subject, "before": before, "after": after})


def balance_set(*, change: AccountChange, currency: str, amount: Decimal) -> Balance:
    """Make the cash of a currency ``amount``; a balance of zero keeps its row."""
    faults_refuse([*rules.currency_faults(currency, "currency"), *rules.amount_faults(amount, "amount")])
    balance = Balance.objects.filter(account=change.account, currency=currency).first()
    before = None if balance is None else states.balance_state(balance.amount)
    balance = balance or Balance(account=change.account, currency=currency)
    balance.amount = amount
    balance.save()
    subject = states.balance_subject(currency)
    ledger_append(change=change, subject=subject, before=before, after=states.balance_state(amount))
    return balance


def balance_add(*, change: AccountChange, currency: str, amount: Decimal) -> Balance:
    """Add a signed ``amount`` to the cash of a currency, exactly."""
    faults_refuse(rules.amount_faults(amount, "amount"))
    held = Balance.objects.filter(account=change.account, currency=currency).first()
    total = amount if held is None else EXACT.add(held.amount, amount)
    return balance_set(change=change, currency=currency, amount=total)


def position_set(
    *, change: AccountChange, instrument: str, quantity: Decimal, entry_price: Decimal
) -> Position | None:
    """Make the position in an instrument this; a quantity of zero removes it and gives None.

    An instrument that has expired can only be closed.
    """
    row = change.instrument(instrument)
    is_open_to_it = row is not None and (quantity == 0 or row.state == InstrumentState.LISTED)
    wanted = PositionDocument(instrument=instrument, quantity=quantity, entry_price=entry_price)
    faults_refuse(rules.position_faults(wanted, row.kind if row and is_open_to_it else None, ""))
    position = change.position(instrument)
    before = None if position is None else states.position_state(position.quantity, position.entry_price)
    after = states.position_state(quantity, entry_price) if quantity else None
    position = position or Position(account=change.account, instrument=row)
    _position_save(position, quantity, entry_price)
    subject = states.position_subject(instrument)
    ledger_append(change=change, subject=subject, before=before, after=after)
    kept = position if quantity else None
    change.position_is(instrument, kept)
    return kept


def faults_refuse(faults: Iterable[FieldError]) -> None:
    """Raise ValidationFailed with all of the faults, if there is one."""
    if found := list(faults):
        raise ValidationFailed(found)


def _position_save(position: Position, quantity: Decimal, entry_price: Decimal) -> None:
    if quantity:
        position.quantity, position.entry_price = quantity, entry_price
        position.save()
    elif position.pk is not None:
        position.delete()


def _ledger_write(change: AccountChange) -> None:
    """Append the rows in their order, move the account's position to the last of them, tell the outbox."""
    change.account.ledger_position = plain_value(
        query=_LEDGER,
        parameters={
            "account": change.account.pk,
            "kind": change.kind.value,
            "by": change.actor.name,
            "request": change.actor.request_id,
            "at": change.now,
            "entries": Jsonb(change.entries),
        },
    )
    outbox_append(topic=ACCOUNT_CHANGED, payload={"account": change.account.pk})
