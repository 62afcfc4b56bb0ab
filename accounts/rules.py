"""PURE checks that single writes and bulk loads share; each yields faults with their path."""

import re
from collections.abc import Iterator
from decimal import Decimal

from accounts.choices import HEDGE_MODES, HedgeMode, InstrumentKind, Methodology, OrderSide
from accounts.documents import (
    FillDocument,
    HedgeLimitDocument,
    OrderDocument,
    PositionDocument,
    TransferDocument,
)
from pmplatform.common.decimals import amount_fault
from pmplatform.common.errors import FieldError
from pmplatform.common.strict_json import key_path

ACCOUNT_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
CURRENCY = re.compile(r"[A-Z0-9]{1,16}")


def code_faults(code: str, path: str) -> Iterator[FieldError]:
    if not ACCOUNT_CODE.fullmatch(code):
        yield FieldError(path, "is not 1 to 64 letters, digits and any of . _ : -")


def currency_faults(currency: str, path: str) -> Iterator[FieldError]:
    if not CURRENCY.fullmatch(currency):
        yield FieldError(path, "is not a currency code of capital letters and digits")


def amount_faults(amount: Decimal, path: str) -> Iterator[FieldError]:
    if fault := amount_fault(amount):
        yield FieldError(path, fault)


def positive_faults(amount: Decimal, path: str) -> Iterator[FieldError]:
    yield from _least_faults(amount, path, zero_allowed=False)


def methodology_faults(methodology: str, hedge_mode: str | None, path: str) -> Iterator[FieldError]:
    """``path`` is that of the account; the faults are in its two members."""
    if methodology not in Methodology:
        known = ", ".join(Methodology.values)
        yield FieldError(key_path(path, "methodology"), f"is none of {known}")
    elif hedge_mode is not None and hedge_mode not in HEDGE_MODES[Methodology(methodology)]:
        known = ", ".join(mode for mode in HedgeMode if mode in HEDGE_MODES[Methodology(methodology)])
        yield FieldError(key_path(path, "hedge_mode"), f"is none of {known}")


def hedge_limit_faults(limit: HedgeLimitDocument, path: str) -> Iterator[FieldError]:
    yield from amount_faults(limit.ratio, key_path(path, "ratio"))
    if limit.ratio.is_finite() and not 0 <= limit.ratio <= 1:
        yield FieldError(key_path(path, "ratio"), "is not within 0 and 1")
    if limit.max_amount is not None:
        yield from _least_faults(limit.max_amount, key_path(path, "max_amount"), zero_allowed=True)


def position_faults(position: PositionDocument, kind: str | None, path: str) -> Iterator[FieldError]:
    """``kind`` is that of the instrument, None when it is unknown or no longer listed."""
    if kind is None:
        yield FieldError(key_path(path, "instrument"), "is not a listed instrument")
    if kind == InstrumentKind.SPOT:
        yield FieldError(key_path(path, "instrument"), "is spot, which is held as a balance")
    yield from amount_faults(position.quantity, key_path(path, "quantity"))
    yield from _price_faults(position.entry_price, kind, key_path(path, "entry_price"))


def order_faults(order: OrderDocument, kind: str | None, path: str) -> Iterator[FieldError]:
    """``kind`` is that of the instrument, None when it is unknown or no longer listed."""
    if kind is None:
        yield FieldError(key_path(path, "instrument"), "is not a listed instrument")
    if order.side not in OrderSide:
        yield FieldError(key_path(path, "side"), "is neither buy nor sell")
    yield from positive_faults(order.quantity, key_path(path, "quantity"))
    yield from _price_faults(order.price, kind, key_path(path, "price"))


def fill_faults(fill: FillDocument, kind: str | None) -> Iterator[FieldError]:
    """``kind`` is that of the instrument, None when it is unknown."""
    if kind is None:
        yield FieldError("instrument", "is not an instrument")
    if fill.side not in OrderSide:
        yield FieldError("side", "is neither buy nor sell")
    yield from positive_faults(fill.quantity, "quantity")
    yield from _price_faults(fill.price, kind, "price")
    yield from amount_faults(fill.fee, "fee")
    yield from currency_faults(fill.fee_currency, "fee_currency")


def transfer_faults(transfer: TransferDocument) -> Iterator[FieldError]:
    yield from currency_faults(transfer.currency, "currency")
    yield from amount_faults(transfer.amount, "amount")
    if transfer.amount == 0:
        yield FieldError("amount", "is zero")


def _price_faults(price: Decimal, kind: str | None, path: str) -> Iterator[FieldError]:
    yield from _least_faults(price, path, zero_allowed=kind == InstrumentKind.OPTION)


def _least_faults(value: Decimal, path: str, *, zero_allowed: bool) -> Iterator[FieldError]:
    if fault := amount_fault(value):
        yield FieldError(path, fault)
    elif value < 0 or (value == 0 and not zero_allowed):
        yield FieldError(path, "is negative" if zero_allowed else "is not positive")
