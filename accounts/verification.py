"""Proof that what accounts hold is the fold of their ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from accounts import states
from accounts.documents import HedgeLimitDocument
from accounts.models import Account, Balance, HedgeLimit, LedgerEntry, Order, Position

_BATCH = 1_000

_Subject = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A subject of an account whose ledger tells another state than the rows; None is no state."""

    account_id: int
    subject: str
    ledger: states.State
    rows: states.State

    def __str__(self) -> str:
        return f"account {self.account_id}, {self.subject}: ledger {self.ledger}, rows {self.rows}"


def ledger_mismatches() -> Iterator[Mismatch]:
    """Compare every account, in batches by id. Call it in one REPEATABLE READ transaction to be exact."""
    ids = Account.objects.order_by("pk").values_list("pk", flat=True).iterator()
    while batch := list(islice(ids, _BATCH)):
        folded, stored = ledger_fold(batch), _stored(batch)
        for account_id, subject in sorted(folded.keys() | stored.keys()):
            key = (account_id, subject)
            if folded.get(key) != stored.get(key):
                yield Mismatch(account_id, subject, folded.get(key), stored.get(key))


def ledger_fold(ids: Sequence[int], position: int | None = None) -> dict[_Subject, dict[str, Any]]:
    """The last state of each subject of these accounts, as the ledger up to a position, or all, tells."""
    entries = LedgerEntry.objects.filter(account_id__in=ids)
    if position is not None:
        entries = entries.filter(pk__lte=position)
    newest = entries.order_by("account_id", "subject", "-id")
    rows = newest.distinct("account_id", "subject").values_list("account_id", "subject", "after")
    return {(account_id, subject): after for account_id, subject, after in rows if after is not None}


def _stored(ids: Sequence[int]) -> dict[_Subject, dict[str, Any]]:
    return dict(
        entry
        for source in (_settings, _hedge_limits, _balances, _positions, _orders)
        for entry in source(ids)
    )


_Entries = Iterator[tuple[_Subject, dict[str, Any]]]


def _settings(ids: Sequence[int]) -> _Entries:
    for account in Account.objects.filter(pk__in=ids):
        yield (account.pk, states.ACCOUNT_SUBJECT), states.AccountSettings.of(account).state


def _hedge_limits(ids: Sequence[int]) -> _Entries:
    limits: dict[int, dict[str, HedgeLimitDocument]] = {}
    for row in HedgeLimit.objects.filter(account_id__in=ids):
        limits.setdefault(row.account_id, {})[row.coin] = HedgeLimitDocument(row.ratio, row.max_amount)
    for account_id, of_account in limits.items():
        if state := states.hedge_limits_state(of_account):
            yield (account_id, states.HEDGE_LIMITS_SUBJECT), state


def _balances(ids: Sequence[int]) -> _Entries:
    for row in Balance.objects.filter(account_id__in=ids):
        yield (row.account_id, states.balance_subject(row.currency)), states.balance_state(row.amount)


def _positions(ids: Sequence[int]) -> _Entries:
    for row in Position.objects.filter(account_id__in=ids).select_related("instrument"):
        subject = states.position_subject(row.instrument.code)
        yield (row.account_id, subject), states.position_state(row.quantity, row.entry_price)


def _orders(ids: Sequence[int]) -> _Entries:
    for row in Order.objects.filter(account_id__in=ids).select_related("instrument"):
        yield (row.account_id, states.order_subject(row.pk)), states.order_state(row, row.instrument.code)
