"""The queue without its guards: what the same faults do to it shows that the guards are what holds."""

import uuid
from dataclasses import replace

from liquidation.execution.port import OrderRequest
from liquidation.models import LiquidationCase, LiquidationOrder
from liquidation.queue import Claim
from liquidation.services import steps, venue
from liquidation.services.orders import order_request


def hold_without_fence(claim: Claim) -> LiquidationCase:
    """Whoever once claimed a case has it for ever."""
    return LiquidationCase.objects.select_for_update().get(pk=claim.case_id)


def request_without_key(order: LiquidationOrder) -> OrderRequest:
    """Each sending of an order is another order."""
    return replace(order_request(order), key=uuid.uuid4().hex)


def remove_guards() -> None:
    """Take fence and key away from this process."""
    for module, name, mutant in (
        (steps, "case_hold", hold_without_fence),
        (venue, "case_hold", hold_without_fence),
        (venue, "order_request", request_without_key),
    ):
        setattr(module, name, mutant)
