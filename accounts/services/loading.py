"""Bulk load of accounts: checked as a whole, written by COPY, all or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from django.db import transaction

from accounts import rules
from accounts.choices import EligibilityState, InstrumentState
from accounts.documents import AccountDocument
from accounts.models import Account, Instrument
from accounts.services.copying import Listed, LoadContext, accounts_copy
from pmplatform.common.errors import FieldError, ValidationFailed
from pmplatform.common.outbox import outbox_append
from pmplatform.common.principals import Actor
from pmplatform.common.strict_json import key_path

ACCOUNTS_LOADED = "accounts.loaded"
BATCH = 2_000
MAX_ERRORS = 1_000


def accounts_load(
    *,
    tenant_id: int,
    documents: Iterable[AccountDocument],
    eligibility_state: EligibilityState,
    actor: Actor,
    now: datetime,
    path: str = "accounts",
) -> int:
    """Open accounts with what they hold, each with its opening ledger rows; give how many.

    ``documents`` may be a generator: it is read in batches, inside one transaction. ``active`` accounts are
    margined by their methodology from the start, others by ``standard``.

    Raises
    ------
    ValidationFailed
        With every fault (up to 1,000) as ``accounts[3].positions[0].quantity``; a code that the tenant has
        already is one. Nothing is written then.
    """
    errors: list[FieldError] = []
    seen: set[str] = set()
    count = 0
    with transaction.atomic():
        context = LoadContext(tenant_id, eligibility_state, actor, now, _listed_instruments())
        for batch in _batches(documents):
            errors += _batch_faults(batch, context, seen, path, count)
            if len(errors) >= MAX_ERRORS:
                break
            if not errors:
                _batch_write(batch, context)
            count += len(batch)
        if errors:
            raise ValidationFailed(errors[:MAX_ERRORS])
    return count


def _batches(documents: Iterable[AccountDocument]) -> Iterator[list[AccountDocument]]:
    source = iter(documents)
    while batch := list(islice(source, BATCH)):
        yield batch


def _listed_instruments() -> dict[str, Listed]:
    listed = Instrument.objects.filter(state=InstrumentState.LISTED)
    return {code: Listed(pk, kind) for code, pk, kind in listed.values_list("code", "pk", "kind")}


def _batch_write(batch: Sequence[AccountDocument], context: LoadContext) -> None:
    first, last = accounts_copy(batch, context)
    payload = {"tenant": context.tenant_id, "ledger_from": first, "ledger_to": last}
    outbox_append(topic=ACCOUNTS_LOADED, payload=payload)


def _batch_faults(
    batch: Sequence[AccountDocument], context: LoadContext, seen: set[str], path: str, offset: int
) -> list[FieldError]:
    codes = [document.id for document in batch]
    taken = set(
        Account.objects.filter(tenant=context.tenant_id, code__in=codes).values_list("code", flat=True)
    )
    faults: list[FieldError] = []
    for index, document in enumerate(batch, offset):
        place = f"{path}[{index}]"
        if document.id in taken or document.id in seen:
            faults.append(FieldError(key_path(place, "id"), "is given twice, or taken by another account"))
        seen.add(document.id)
        faults += _document_faults(document, context.instruments, place)
    return faults


def _document_faults(
    document: AccountDocument, instruments: Mapping[str, Listed], path: str
) -> Iterator[FieldError]:
    yield from rules.code_faults(document.id, key_path(path, "id"))
    yield from rules.methodology_faults(document.methodology, document.hedge_mode, path)
    for coin, limit in document.hedge_limits.items():
        place = f"{path}.hedge_limits.{coin}"
        yield from rules.currency_faults(coin, place)
        yield from rules.hedge_limit_faults(limit, place)
    for currency, amount in document.balances.items():
        place = f"{path}.balances.{currency}"
        yield from rules.currency_faults(currency, place)
        yield from rules.amount_faults(amount, place)
    yield from _held_faults(document, instruments, path)


def _held_faults(
    document: AccountDocument, instruments: Mapping[str, Listed], path: str
) -> Iterator[FieldError]:
    held: set[str] = set()
    for index, position in enumerate(document.positions):
        place = f"{path}.positions[{index}]"
        listed = instruments.get(position.instrument)
        yield from rules.position_faults(position, listed.kind if listed else None, place)
        if position.instrument in held:
            yield FieldError(key_path(place, "instrument"), "is held by another position of the account")
        held.add(position.instrument)
    for index, order in enumerate(document.orders):
        listed = instruments.get(order.instrument)
        yield from rules.order_faults(order, listed.kind if listed else None, f"{path}.orders[{index}]")
