"""Orders of a step: written, with the key that names them for ever, before anybody sends them."""

from collections.abc import Sequence
from decimal import Decimal

from accounts.selectors import instruments_all
from liquidation.choices import OrderStatus
from liquidation.execution.port import OrderRequest
from liquidation.models import LiquidationOrder, LiquidationStep
from liquidation.planner.amounts import decimal_of, down, up
from liquidation.planner.plan import Trade
from margin.engine.documents.account import Side
from margin.engine.documents.book import BookDocument
from pmplatform.common.digest import sha256_hex


def orders_write(
    step: LiquidationStep, trades: Sequence[Trade], book: BookDocument, *, refusals: int
) -> list[tuple[LiquidationOrder, OrderRequest]]:
    """Write the orders of a step's trades, each with its request; their limits are within the price band."""
    band = decimal_of(book.parameters.liquidation.price_band)
    ids = dict(
        instruments_all().filter(code__in=[trade.instrument for trade in trades]).values_list("code", "pk")
    )
    orders = [
        LiquidationOrder.objects.create(
            step=step,
            leg=leg,
            refusals=refusals,
            key=order_key(step, leg, refusals),
            instrument_id=ids[trade.instrument],
            side=trade.side.value,
            quantity=trade.quantity,
            mark=trade.price,
            limit_price=_limit(trade, band),
            expected_fee=trade.fee,
            fee_currency=trade.fee_currency,
            status=OrderStatus.NEW,
            created_at=step.at,
        )
        for leg, trade in enumerate(trades)
    ]
    return [(order, order_request(order)) for order in orders]


def order_key(step: LiquidationStep, leg: int, refusals: int) -> str:
    """The name of an order: the same for whoever, after whichever crash, sends it again."""
    return sha256_hex(f"liquidation:{step.case_id}:{step.number}:{leg}:{refusals}".encode())


def order_request(order: LiquidationOrder) -> OrderRequest:
    """An order as it is sent."""
    return OrderRequest(
        key=order.key,
        instrument=order.instrument.code,
        side=order.side,
        quantity=order.quantity,
        limit_price=order.limit_price,
        mark=order.mark,
        fee=order.expected_fee,
        fee_currency=order.fee_currency,
    )


def _limit(trade: Trade, band: Decimal) -> Decimal:
    """The worst price to trade at: above mark for a purchase, below for a sale."""
    return up(trade.price * (1 + band)) if trade.side is Side.BUY else down(trade.price * (1 - band))
