"""Records of what has happened to an account: fills, transfers, settlements; effects are written apart."""

from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from accounts import rules
from accounts.documents import FillDocument, TransferDocument
from accounts.models import Fill, Instrument, Order, Settlement, Transfer
from accounts.services.changes import AccountChange, faults_refuse
from pmplatform.common.columns import plain_value
from pmplatform.common.errors import Conflict, FieldError, NotFound

_FILL_COLUMNS: Final = (
    *("account_id", "order_id", "instrument_id", "client_id", "side", "quantity", "price", "fee"),
    *("fee_currency", "at"),
)
# As for every statement of a change: `accounts.services.changes`.
_FILL: Final = """
    INSERT INTO accounts_fill
        (account_id, order_id, instrument_id, client_id, side, quantity, price, fee, fee_currency, at)
    VALUES (%(account_id)s, %(order_id)s, %(instrument_id)s, %(client_id)s, %(side)s, %(quantity)s, %(price)s,
        %(fee)s, %(fee_currency)s, %(at)s)
    RETURNING id
"""

_Record = TypeVar("_Record", bound=Model)


def fill_known(*, change: AccountChange, fill: FillDocument) -> Fill | None:
    """The fill that was recorded under this client id; Conflict when it was another one."""
    if not fill.client_id:
        return None
    fills = Fill.objects.filter(account=change.account, client_id=fill.client_id)
    terms = {
        "instrument__code": fill.instrument,
        "order_id": fill.order_id,
        "side": fill.side,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "fee_currency": fill.fee_currency,
    }
    return _known(fills, fill.client_id, terms)


def fill_append(*, change: AccountChange, fill: FillDocument) -> Fill:
    """Record a fill that is not known yet.

    Raises
    ------
    ValidationFailed
        With the path of every fault, also where the order is in another instrument or of the other side.
    NotFound, Conflict
        When the account has no such order, or has settled the instrument.
    """
    held = change.held(fill.instrument)
    instrument = held.instrument
    faults_refuse(rules.fill_faults(fill, instrument.kind if instrument else None))
    # Without an instrument there is a fault.
    assert instrument is not None
    if held.settled:
        raise Conflict(f"The account has settled {fill.instrument}.")
    if fill.order_id is not None:
        _order_check(change, fill, fill.order_id)
    recorded = Fill(
        account=change.account,
        order_id=fill.order_id,
        instrument=instrument,
        client_id=fill.client_id,
        side=fill.side,
        quantity=fill.quantity,
        price=fill.price,
        fee=fill.fee,
        fee_currency=fill.fee_currency,
        at=change.now,
    )
    columns = {name: getattr(recorded, name) for name in _FILL_COLUMNS}
    recorded.pk = plain_value(query=_FILL, parameters=columns)
    return recorded


def transfer_known(*, change: AccountChange, transfer: TransferDocument) -> Transfer | None:
    """The transfer that was recorded under this client id; Conflict when it was another one."""
    if not transfer.client_id:
        return None
    transfers = Transfer.objects.filter(account=change.account, client_id=transfer.client_id)
    terms = {"currency": transfer.currency, "amount": transfer.amount}
    return _known(transfers, transfer.client_id, terms)


def transfer_append(*, change: AccountChange, transfer: TransferDocument) -> Transfer:
    """Record a transfer that is not known yet; ValidationFailed where it moves nothing."""
    faults_refuse(rules.transfer_faults(transfer))
    return Transfer.objects.create(
        account=change.account,
        client_id=transfer.client_id,
        currency=transfer.currency,
        amount=transfer.amount,
        at=change.now,
    )


def settlement_append(
    *, change: AccountChange, instrument: str, quantity: Decimal, price: Decimal, cash: Decimal
) -> Settlement:
    """Record that a position has settled; the database refuses a second time."""
    return Settlement.objects.create(
        account=change.account,
        instrument=Instrument.objects.get(code=instrument),
        quantity=quantity,
        price=price,
        cash=cash,
        at=change.now,
    )


def _known(records: QuerySet[_Record], client_id: str, terms: dict[str, Any]) -> _Record | None:
    if not records.exists():
        return None
    same = records.filter(**terms).first()
    if same is None:
        raise Conflict(f"The client id {client_id} was used before, for something else.")
    return same


def _order_check(change: AccountChange, fill: FillDocument, order_id: int) -> None:
    order = Order.objects.filter(account=change.account, pk=order_id).select_related("instrument").first()
    if order is None:
        raise NotFound(f"The account has no order {order_id}.")
    if order.instrument.code != fill.instrument:
        faults_refuse([FieldError("instrument", f"is not the order's {order.instrument.code}")])
    if order.side != fill.side:
        faults_refuse([FieldError("side", f"is not the order's {order.side}")])
