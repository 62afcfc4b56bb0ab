"""What an account holds and how it came to: positions, orders, ledger, eligibility, hedge limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.safestring import SafeString

from accounts import selectors, standings
from accounts.choices import OrderState
from accounts.models import Account
from pmplatform.common.console import NOTHING, Mark, ago, amount, exact, marked, percent

#: So many of the newest rows are shown; the lists of the records have them all.
_NEWEST: Final = 20
#: Headings of columns of numbers, which stand on the right as their numbers do.
_NUMBERS: Final = frozenset(
    {
        "Quantity, contracts",
        "Entry price",
        "Open quantity, contracts",
        "Price",
        "Share of spot that may hedge",
        "At most, coins",
        "Net equity, USD",
    }
)
_STATES: Final = {
    "standard": Mark("safe", "○"),
    "active": Mark("safe", "●"),
    "suspended": Mark("warning", "▲"),
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of rows whose first cell is their heading; ``empty`` is said where there is none."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    empty: str

    @property
    def columns(self) -> tuple[tuple[str, bool], ...]:
        """Each heading, and whether its column is of numbers."""
        return tuple((heading, heading in _NUMBERS) for heading in self.headings)


@dataclass(frozen=True)
class Holdings:
    """The account itself in a line, and its tables."""

    account: Account
    state: SafeString
    restrictions: tuple[str, ...]
    tables: tuple[Table, ...]


def account_holdings(*, account: Account, now: datetime) -> Holdings:
    """Everything that is held, and the newest of what has happened."""
    return Holdings(
        account=account,
        state=marked(str(account.get_eligibility_state_display()), _STATES[account.eligibility_state]),
        restrictions=tuple(_restrictions(account)),
        tables=(
            _positions(account),
            _orders(account, now),
            _hedge_limits(account),
            _eligibility(account, now),
            _ledger(account, now),
        ),
    )


def _restrictions(account: Account) -> Iterable[str]:
    if account.in_liquidation:
        yield "in liquidation: only the platform trades for it"
    if account.reduce_only:
        yield "reduce only: no new risk"


def _positions(account: Account) -> Table:
    rows = selectors.account_positions(account=account).order_by("instrument__code")
    return Table(
        "Positions",
        ("Instrument", "Quantity, contracts", "Entry price"),
        tuple((row.instrument.code, exact(row.quantity), exact(row.entry_price)) for row in rows),
        "The account holds no position.",
    )


def _orders(account: Account, now: datetime) -> Table:
    orders = selectors.account_orders(account=account).filter(state=OrderState.OPEN).order_by("-id")
    return Table(
        "Open orders",
        ("Instrument", "Side", "Open quantity, contracts", "Price", "Entered"),
        tuple(
            (
                row.instrument.code,
                row.side,
                exact(row.open_quantity),
                exact(row.price),
                ago(row.created_at, now),
            )
            for row in orders
        ),
        "No order is open.",
    )


def _hedge_limits(account: Account) -> Table:
    limits = selectors.account_hedge_limits(account=account)
    return Table(
        "Hedge limits",
        ("Coin", "Share of spot that may hedge", "At most, coins"),
        tuple((row.coin, percent(row.ratio), amount(row.max_amount)) for row in limits),
        "No limit is set: all of a coin's spot may hedge its derivatives.",
    )


def _eligibility(account: Account, now: datetime) -> Table:
    moves = standings.account_transitions(account=account).order_by("-id")[:_NEWEST]
    return Table(
        "Eligibility",
        ("Move", "To", "Margined by", "Net equity, USD", "Reasons", "By", "When"),
        tuple(
            (
                str(row.get_kind_display()),
                str(row.get_to_state_display()),
                row.to_margin,
                amount(row.net_equity),
                "; ".join(row.reasons) or NOTHING,
                row.by,
                ago(row.at, now),
            )
            for row in moves
        ),
        "Its eligibility has never moved.",
    )


def _ledger(account: Account, now: datetime) -> Table:
    entries = selectors.account_ledger(account=account).order_by("-id")[:_NEWEST]
    return Table(
        f"Ledger, the newest {_NEWEST}",
        ("Entry", "Kind", "Subject", "Before", "After", "By", "When"),
        tuple(
            (
                row.pk,
                str(row.get_kind_display()),
                row.subject,
                _state(row.before),
                _state(row.after),
                row.by,
                ago(row.at, now),
            )
            for row in entries
        ),
        "Nothing has been written yet.",
    )


def _state(value: Any) -> str:
    """A ledger's state in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items())
    return NOTHING if value is None else str(value)
