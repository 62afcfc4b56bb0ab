"""Conservation: what a case has moved adds up with what the account had, has, and the fund has taken."""

from decimal import Decimal

from accounts.choices import LedgerKind
from accounts.selectors import account_ledger, balance_rows, position_rows
from liquidation import selectors
from liquidation.models import LiquidationCase
from liquidation.services.booking import effects_read
from pmplatform.common.decimals import EXACT, decimal_text

_ZERO = Decimal(0)
_Sums = dict[str, Decimal]


def case_residuals(case: LiquidationCase) -> dict[str, str]:
    """What does not add up, by currency and instrument; empty where cash and positions are conserved.

    By the ledger since the case was opened, each balance and position has moved by what the steps have
    booked and a takeover has realised, less what the fund has taken, nothing else having been written as
    liquidation; and what it moved from that is what the account holds now.
    """
    sums: dict[str, _Sums] = {"booked": {}, "moved": {}}
    realised = (case.takeover or {}).get("realised", {})
    for effects in (realised, *(step.effects for step in selectors.case_steps(case.pk))):
        for subject, amount in effects_read(effects).items():
            _add(sums["booked"], subject, amount)
    for subject, amount in selectors.fund_taken(case.pk).items():
        _add(sums["booked"], subject, amount.copy_negate())
    last = _ledger_moves(case, sums["moved"])
    residuals = {
        subject: EXACT.subtract(sums["moved"].get(subject, _ZERO), sums["booked"].get(subject, _ZERO))
        for subject in sums["moved"].keys() | sums["booked"].keys()
    }
    held = _held(case.account_id)
    for subject, amount in last.items():
        _add(residuals, subject, EXACT.subtract(held.get(subject, _ZERO), amount))
    return {subject: decimal_text(amount) for subject, amount in sorted(residuals.items()) if amount}


def _ledger_moves(case: LiquidationCase, moved: _Sums) -> _Sums:
    """Add up what the ledger says liquidation moved; returns the last state of each subject that changed."""
    last: _Sums = {}
    rows = account_ledger(account=case.account).filter(pk__gt=case.opened_at_position).order_by("pk")
    for kind, subject, before, after in rows.values_list("kind", "subject", "before", "after"):
        if not subject.startswith(("balance:", "position:")):
            continue
        last[subject] = _amount(after)
        if kind == LedgerKind.LIQUIDATION:
            _add(moved, subject, EXACT.subtract(_amount(after), _amount(before)))
    return last


def _held(account_id: int) -> _Sums:
    held = {f"balance:{currency}": amount for _, currency, amount in balance_rows([account_id])}
    return held | {f"position:{code}": quantity for _, code, quantity, _ in position_rows([account_id])}


def _amount(state: dict[str, str] | None) -> Decimal:
    if state is None:
        return _ZERO
    return Decimal(state["amount"] if "amount" in state else state["quantity"])


def _add(sums: _Sums, subject: str, amount: Decimal) -> None:
    sums[subject] = EXACT.add(sums.get(subject, _ZERO), amount)
