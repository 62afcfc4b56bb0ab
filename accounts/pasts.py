"""Reads of what an account once was: its ledger, folded up to a position."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from accounts import states
from accounts.choices import OrderState
from accounts.models import Account, LedgerEntry
from accounts.verification import ledger_fold
from pmplatform.common.decimals import DECIMAL_PLACES, EXACT

_PLACES: Final = Decimal(1).scaleb(-DECIMAL_PLACES)


@dataclass(frozen=True, slots=True)
class PastAccount:
    """What margin reads of an account, as it was; the rows are those of ``accounts.selectors``."""

    code: str
    margin_methodology: str
    hedge_mode: str | None
    balances: list[tuple[str, Decimal]]
    positions: list[tuple[str, Decimal, Decimal]]
    orders: list[tuple[str, str, Decimal, Decimal]]
    hedge_limits: list[tuple[str, Decimal, Decimal | None]]


def ledger_position_at(*, account_id: int, at: datetime) -> int:
    """How far an account's ledger was at a time; 0 before its first row."""
    rows = LedgerEntry.objects.filter(account_id=account_id, at__lte=at).order_by("-id")
    return rows.values_list("pk", flat=True).first() or 0


def account_past(*, account_id: int, position: int) -> PastAccount | None:
    """An account at a position of the ledger; None where it had not been opened by then."""
    folded = {subject: state for (_, subject), state in ledger_fold([account_id], position).items()}
    settings = folded.get(states.ACCOUNT_SUBJECT)
    if settings is None:
        return None
    return PastAccount(
        code=Account.objects.values_list("code", flat=True).get(pk=account_id),
        margin_methodology=settings["margin_methodology"],
        hedge_mode=settings["hedge_mode"],
        balances=[(name, _amount(state["amount"])) for name, state in _of(folded, states.balance_subject)],
        positions=[
            (name, _amount(state["quantity"]), _amount(state["entry_price"]))
            for name, state in _of(folded, states.position_subject)
        ],
        orders=list(_open_orders(folded)),
        hedge_limits=list(_hedge_limits(folded.get(states.HEDGE_LIMITS_SUBJECT) or {})),
    )


def _of(folded: dict[str, Any], subject: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and states of the subjects of one kind, in the order of the names."""
    prefix = subject("")
    for name in sorted(folded):
        if name.startswith(prefix):
            yield name.removeprefix(prefix), folded[name]


def _open_orders(folded: dict[str, Any]) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    prefix = states.order_subject(0).removesuffix("0")
    rows = (
        (state["instrument"], int(subject.removeprefix(prefix)), state)
        for subject, state in folded.items()
        if subject.startswith(prefix) and state["state"] == OrderState.OPEN
    )
    for instrument, _, state in sorted(rows, key=lambda row: row[:2]):
        yield instrument, state["side"], _amount(state["open_quantity"]), _amount(state["price"])


def _hedge_limits(limits: dict[str, Any]) -> Iterator[tuple[str, Decimal, Decimal | None]]:
    for coin, limit in sorted(limits.items()):
        most = limit["max_amount"]
        yield coin, _amount(limit["ratio"]), None if most is None else _amount(most)


def _amount(text: str) -> Decimal:
    """An amount with the places that the database gives it back with: hashes are over its digits."""
    return EXACT.quantize(Decimal(text), _PLACES)
