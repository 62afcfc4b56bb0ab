"""Deposits and withdrawals; a withdrawal leaves what covers the initial margin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from accounts.choices import LedgerKind
from accounts.documents import TransferDocument
from accounts.services.activity import transfer_append, transfer_known
from accounts.services.changes import AccountChange, account_changing, balance_add
from margin.assembly import equity, requirement
from margin.engine.documents.account import AccountRows
from margin.engine.results import ShardMargin
from margin.market_states import snapshot_state
from margin.services.margining import BYBIT, Margining, account_input, initial_margin_covered, margining
from pmplatform.common.decimals import decimal_text
from pmplatform.common.errors import Refused
from pmplatform.common.principals import Actor

_ZERO: Final = Decimal(0)
#: Places of a withdrawable amount, which is rounded down.
_PLACES: Final = Decimal("0.00000001")
#: Amounts tried at once, and how often the interval between two of them is divided again.
_CANDIDATES: Final = 33
_ROUNDS: Final = 9


@dataclass(frozen=True, slots=True)
class Withdrawable:
    """The most of one currency that may leave, if nothing else does."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Withdrawables:
    """What may leave of each currency, by which methodology and of which moment of the market."""

    methodology: str
    as_of: datetime
    currencies: tuple[Withdrawable, ...]


def transfer_record(*, account_id: int, transfer: TransferDocument, actor: Actor, now: datetime) -> Any:
    """Record a deposit or a withdrawal; a client id that is known already has no effect again.

    Returns the transfer's row.

    Raises
    ------
    ValidationFailed, NotFound, Conflict
    Refused
        When a withdrawal is above what is withdrawable, with the figures, or the market that would say so
        is stale or in HOLD.
    """
    with account_changing(account_id=account_id, kind=LedgerKind.TRANSFER, actor=actor, now=now) as change:
        known = transfer_known(change=change, transfer=transfer)
        if known is not None:
            return known
        recorded = transfer_append(change=change, transfer=transfer)
        if transfer.amount < 0:
            _withdrawal_check(change, transfer, now)
        balance_add(change=change, currency=transfer.currency, amount=transfer.amount)
    return recorded


def account_withdrawable(*, account_id: int, methodology: str) -> Withdrawables:
    """What may leave of each currency that an account has a balance in, by currency.

    okx and standard: the largest amount after which adjusted equity covers the initial margin, which may
    be more than the cash, as a borrowing that is margined. bybit-uta: what its engine says.

    Raises
    ------
    Refused
        When the account cannot be margined now.
    """
    desk, rows = margining(methodology=methodology), account_input(account_id).to_rows()
    shard = desk.margin([rows])
    amounts = (
        Withdrawable(currency, _withdrawable(desk, rows, currency, shard))
        for currency in sorted(rows.balances)
    )
    return Withdrawables(methodology, desk.snapshot.as_of, tuple(amounts))


def _withdrawal_check(change: AccountChange, transfer: TransferDocument, now: datetime) -> None:
    if change.account.in_liquidation:
        raise Refused(["The account is in liquidation."])
    desk = margining(methodology=change.account.margin_methodology)
    if reasons := snapshot_state(desk.snapshot, now).reasons:
        raise Refused(reasons)
    rows = account_input(change.account.pk).to_rows()
    shard = desk.margin([rows, _after(rows, transfer.currency, -transfer.amount)])
    if desk.methodology != BYBIT and initial_margin_covered(shard, desk.methodology)[1]:
        return
    most = _withdrawable(desk, rows, transfer.currency, shard)
    if desk.methodology != BYBIT or -transfer.amount > most:
        raise Refused(
            [f"Only {decimal_text(most)} {transfer.currency} may be withdrawn now."],
            {
                "withdrawable": decimal_text(most),
                "imr_after": decimal_text(requirement(shard.accounts.imr[1])),
                "adjusted_equity_after": decimal_text(equity(shard.accounts.adjusted_equity[1])),
            },
        )


def _withdrawable(desk: Margining, rows: AccountRows, currency: str, shard: ShardMargin) -> Decimal:
    """The most that may leave; ``shard`` begins with the account as it stands."""
    cash = rows.balances.get(currency, _ZERO)
    column = list(shard.currencies.currencies).index(currency)
    if desk.methodology == BYBIT:
        most = float(shard.currencies.extra["withdrawable"][0, column])
        return max(cash, _ZERO) if most >= float(cash) else _floor(most)
    if not initial_margin_covered(shard, desk.methodology)[0]:
        return _ZERO
    # Without its cover the account owes what it takes, and no amount beyond this could be covered.
    price = desk.market.usd_price(currency)
    ceiling = max(float(shard.currencies.equity[0, column]), 0.0)
    ceiling += max(float(shard.accounts.adjusted_equity[0]), 0.0) / price
    found = _floor(_largest_covered(desk, rows, currency, ceiling))
    # All of the cash is an amount people ask for, and has more places than are searched.
    whole = cash > found and bool(_covered(desk, rows, currency, [cash])[0])
    return cash if whole else found


def _largest_covered(desk: Margining, rows: AccountRows, currency: str, ceiling: float) -> float:
    """The largest amount up to ``ceiling`` after which the margin is covered; 0 is one such amount."""
    low, high = 0.0, ceiling
    for _ in range(_ROUNDS):
        amounts = np.linspace(low, high, _CANDIDATES)
        # A currency's amount is exact as the shortest decimal of its float.
        covered = _covered(desk, rows, currency, [Decimal(repr(float(amount))) for amount in amounts[1:]])
        last = int(np.flatnonzero(covered)[-1]) + 1 if covered.any() else 0
        if last == len(amounts) - 1:
            return high
        low, high = float(amounts[last]), float(amounts[last + 1])
    return low


def _covered(
    desk: Margining, rows: AccountRows, currency: str, amounts: Sequence[Decimal]
) -> npt.NDArray[np.bool_]:
    shard = desk.margin([_after(rows, currency, amount) for amount in amounts])
    return initial_margin_covered(shard, desk.methodology)


def _after(rows: AccountRows, currency: str, amount: Decimal) -> AccountRows:
    """The account without an amount of a currency."""
    cash = rows.balances.get(currency, _ZERO)
    return replace(rows, balances={**rows.balances, currency: cash - amount})


def _floor(amount: float) -> Decimal:
    return max(Decimal(amount).quantize(_PLACES, ROUND_FLOOR), _ZERO)
