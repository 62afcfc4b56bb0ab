"""Bulk opening of accounts: read, judge everything, then write by COPY in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import rules
from accounts.choices import InstrumentState
from accounts.documents import AccountDocument
from accounts.models import Account, Instrument
from accounts.reading import account_documents_read
from accounts.services.changes import faults_refuse
from accounts.services.opening import Listed, accounts_open
from pmplatform.common.errors import Conflict, FieldError
from pmplatform.common.principals import Actor
from pmplatform.common.strict_json import key_path


def accounts_load(
    *, tenant_id: int, documents: Sequence[object], actor: Actor, now: datetime, path: str = "accounts"
) -> list[int]:
    """Open accounts from the account parts of book documents, all or none; gives their ids in that order.

    Each document carries its ``methodology``. Who loads a book vouches for it: an account starts enrolled
    in the methodology it names. A position of zero is left out; a second one in an instrument is refused,
    because an exact average entry price need not exist.

    Raises
    ------
    ValidationFailed
        With the path of every fault, among them amounts that numeric(38, 18) cannot hold.
    Conflict
        When another load has just taken one of the codes.
    """
    accounts, unread = account_documents_read(documents, path)
    listed = _listed(accounts)
    judged = [*_faults(accounts, listed, path), *_taken(tenant_id, accounts, path)]
    faults_refuse([*unread, *_beyond(unread, judged)])
    try:
        with transaction.atomic():
            return accounts_open(tenant_id=tenant_id, accounts=accounts, listed=listed, actor=actor, now=now)
    except IntegrityError as error:
        if "account_code_once_in_tenant" in str(error):
            raise Conflict("Another load has just opened an account with one of these codes.") from None
        raise


def _beyond(unread: Sequence[FieldError], judged: Iterable[FieldError]) -> list[FieldError]:
    """The faults of values that could be read at all."""
    paths = {fault.path for fault in unread}
    return [fault for fault in judged if fault.path not in paths]


def _listed(accounts: Sequence[AccountDocument]) -> dict[str, Listed]:
    codes = {position.instrument for account in accounts for position in account.positions}
    codes |= {order.instrument for account in accounts for order in account.orders}
    found = Instrument.objects.filter(code__in=codes, state=InstrumentState.LISTED)
    return {code: Listed(pk, kind) for pk, code, kind in found.values_list("pk", "code", "kind")}


def _taken(tenant_id: int, accounts: Sequence[AccountDocument], path: str) -> Iterator[FieldError]:
    codes = [account.id for account in accounts]
    taken = set(Account.objects.filter(tenant_id=tenant_id, code__in=codes).values_list("code", flat=True))
    for index, code in enumerate(codes):
        if code in taken:
            yield FieldError(f"{path}[{index}].id", "is the code of an account that exists")


def _faults(
    accounts: Sequence[AccountDocument], listed: Mapping[str, Listed], path: str
) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, account in enumerate(accounts):
        place = f"{path}[{index}]"
        if account.id in seen:
            yield FieldError(key_path(place, "id"), "is given twice")
        seen.add(account.id)
        yield from rules.code_faults(account.id, key_path(place, "id"))
        yield from rules.methodology_faults(account.methodology, account.hedge_mode, place)
        yield from _cash_faults(account, place)
        yield from _holding_faults(account, listed, place)


def _cash_faults(account: AccountDocument, path: str) -> Iterator[FieldError]:
    for currency, amount in account.balances.items():
        place = key_path(key_path(path, "balances"), currency)
        yield from rules.currency_faults(currency, place)
        yield from rules.amount_faults(amount, place)
    for coin, limit in account.hedge_limits.items():
        place = key_path(key_path(path, "hedge_limits"), coin)
        yield from rules.currency_faults(coin, place)
        yield from rules.hedge_limit_faults(limit, place)


def _holding_faults(
    account: AccountDocument, listed: Mapping[str, Listed], path: str
) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, position in enumerate(account.positions):
        place = f"{path}.positions[{index}]"
        if position.instrument in seen:
            yield FieldError(key_path(place, "instrument"), "is given twice")
        seen.add(position.instrument)
        yield from rules.position_faults(position, _kind(listed, position.instrument), place)
    for index, order in enumerate(account.orders):
        place = f"{path}.orders[{index}]"
        yield from rules.order_faults(order, _kind(listed, order.instrument), place)


def _kind(listed: Mapping[str, Listed], instrument: str) -> str | None:
    return listed[instrument].kind if instrument in listed else None
