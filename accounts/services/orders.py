"""Order writers. Whether margin allows an order is decided above, before ``order_place`` is called."""

from decimal import Decimal

from accounts import rules, states
from accounts.choices import InstrumentState, OrderState
from accounts.documents import OrderDocument
from accounts.models import Instrument, Order
from accounts.services.changes import AccountChange, faults_refuse, ledger_append
from pmplatform.common.decimals import EXACT
from pmplatform.common.errors import Conflict, FieldError, NotFound, ValidationFailed


def order_place(*, change: AccountChange, order: OrderDocument, client_id: str = "") -> Order:
    """Enter an open order. A ``client_id`` is used once in an account: Conflict otherwise."""
    listed = _listed_instrument(order)
    if client_id and Order.objects.filter(account=change.account, client_id=client_id).exists():
        raise Conflict(f"The account has an order with the client id {client_id}.")
    placed = Order.objects.create(
        account=change.account,
        instrument=listed,
        client_id=client_id,
        side=order.side,
        quantity=order.quantity,
        open_quantity=order.quantity,
        price=order.price,
        created_at=change.now,
    )
    _ledger_append(change, placed, before=None)
    return placed


def order_cancel(*, change: AccountChange, order_id: int) -> Order:
    """Cancel what is open of an order; Conflict when it is filled or cancelled already."""
    order = _open_order(change, order_id)
    before = states.order_state(order, order.instrument.code)
    order.state = OrderState.CANCELLED
    return _order_save(change, order, before)


def order_fill(*, change: AccountChange, order_id: int, quantity: Decimal) -> Order:
    """Take a fill off what is open of an order. The fill's effect on cash and position is the caller's."""
    order = _open_order(change, order_id)
    if not 0 < quantity <= order.open_quantity:
        faults_refuse([FieldError("quantity", f"is not within 0 and the open {order.open_quantity:f}")])
    before = states.order_state(order, order.instrument.code)
    order.open_quantity = EXACT.subtract(order.open_quantity, quantity)
    order.state = OrderState.OPEN if order.open_quantity else OrderState.FILLED
    return _order_save(change, order, before)


def orders_cancel(*, change: AccountChange, instrument: str) -> int:
    """Cancel every open order in an instrument, and give how many there were."""
    orders = Order.objects.filter(account=change.account, instrument__code=instrument, state=OrderState.OPEN)
    ids = list(orders.order_by("pk").values_list("pk", flat=True))
    for order_id in ids:
        order_cancel(change=change, order_id=order_id)
    return len(ids)


def _listed_instrument(order: OrderDocument) -> Instrument:
    listed = Instrument.objects.filter(code=order.instrument, state=InstrumentState.LISTED).first()
    if faults := list(rules.order_faults(order, listed.kind if listed else None, "")):
        raise ValidationFailed(faults)
    # Without a listed instrument there is a fault.
    assert listed is not None
    return listed


def _open_order(change: AccountChange, order_id: int) -> Order:
    orders = Order.objects.filter(account=change.account).select_related("instrument")
    order = orders.filter(pk=order_id).first()
    if order is None:
        raise NotFound(f"The account has no order {order_id}.")
    if order.state != OrderState.OPEN:
        raise Conflict(f"The order is {order.state}.")
    return order


def _order_save(change: AccountChange, order: Order, before: states.State) -> Order:
    order.save(update_fields=["state", "open_quantity"])
    _ledger_append(change, order, before=before)
    return order


def _ledger_append(change: AccountChange, order: Order, *, before: states.State) -> None:
    after = states.order_state(order, order.instrument.code)
    ledger_append(change=change, subject=states.order_subject(order.pk), before=before, after=after)
