"""How state is written into the ledger: plain JSON, decimals as text, one subject for each row of state."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.choices import EligibilityState, HedgeMode, Methodology, OrderState
from accounts.documents import HedgeLimitDocument, OrderDocument
from accounts.models import Account, Order
from pmplatform.common.decimals import decimal_text

State = dict[str, Any] | None

ACCOUNT_SUBJECT = "account"
HEDGE_LIMITS_SUBJECT = "hedge-limits"


def balance_subject(currency: str) -> str:
    return f"balance:{currency}"


def position_subject(instrument: str) -> str:
    return f"position:{instrument}"


def order_subject(order_id: int) -> str:
    return f"order:{order_id}"


def balance_state(amount: Decimal) -> dict[str, Any]:
    return {"amount": decimal_text(amount)}


def position_state(quantity: Decimal, entry_price: Decimal) -> dict[str, Any]:
    return {"quantity": decimal_text(quantity), "entry_price": decimal_text(entry_price)}


def order_state(order: Order, instrument: str) -> dict[str, Any]:
    """The state of an order row; the caller has the instrument's code, so that this needs no query."""
    return {
        "instrument": instrument,
        "client_id": order.client_id,
        "side": order.side,
        "quantity": decimal_text(order.quantity),
        "open_quantity": decimal_text(order.open_quantity),
        "price": decimal_text(order.price),
        "state": order.state,
    }


def opening_order_state(order: OrderDocument) -> dict[str, Any]:
    """The state of an order that a load opens."""
    quantity = decimal_text(order.quantity)
    return {
        "instrument": order.instrument,
        "client_id": "",
        "side": order.side,
        "quantity": quantity,
        "open_quantity": quantity,
        "price": decimal_text(order.price),
        "state": OrderState.OPEN.value,
    }


def hedge_limits_state(limits: Mapping[str, HedgeLimitDocument]) -> State:
    """Null when there is no limit at all."""
    return {coin: _hedge_limit_state(limits[coin]) for coin in sorted(limits)} or None


def _hedge_limit_state(limit: HedgeLimitDocument) -> dict[str, Any]:
    max_amount = None if limit.max_amount is None else decimal_text(limit.max_amount)
    return {"ratio": decimal_text(limit.ratio), "max_amount": max_amount}


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What decides how an account is margined and restricted, apart from what it holds."""

    methodology: Methodology
    margin_methodology: Methodology
    hedge_mode: HedgeMode | None
    eligibility_state: EligibilityState
    reduce_only: bool = False
    in_liquidation: bool = False

    @classmethod
    def of(cls, account: Account) -> "AccountSettings":
        return cls(
            methodology=Methodology(account.methodology),
            margin_methodology=Methodology(account.margin_methodology),
            hedge_mode=HedgeMode(account.hedge_mode) if account.hedge_mode else None,
            eligibility_state=EligibilityState(account.eligibility_state),
            reduce_only=account.reduce_only,
            in_liquidation=account.in_liquidation,
        )

    @property
    def is_enrolled(self) -> bool:
        return self.eligibility_state != EligibilityState.STANDARD

    @property
    def state(self) -> dict[str, Any]:
        """The settings as the ledger has them, in the order of the fields."""
        return {
            "methodology": self.methodology.value,
            "margin_methodology": self.margin_methodology.value,
            "hedge_mode": self.hedge_mode.value if self.hedge_mode else None,
            "eligibility_state": self.eligibility_state.value,
            "reduce_only": self.reduce_only,
            "in_liquidation": self.in_liquidation,
        }
