"""The review after a run: who has stayed below, or is back at, the minimum net equity."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from django.db import transaction

from accounts import standings
from accounts.choices import LedgerKind, Methodology
from accounts.eligibility import EligibilityRules, Evidence, Verdict, review
from accounts.services.changes import account_changing
from accounts.services.eligibility import Proof, eligibility_move, standings_lock, watches_set
from margin import selectors
from margin.choices import RunState
from margin.market_states import snapshot_state
from margin.models import MarginRun
from pmplatform.common.principals import Actor

#: Accounts that are locked together.
BATCH: Final = 500

_Equities = dict[int, Decimal]


def eligibility_review(*, run_id: int, now: datetime) -> int:
    """Review the accounts of a completed run by its snapshot; returns how many moved.

    Only accounts that a snapshot can speak for or against are read. A stale snapshot or one in HOLD moves
    nobody, nor does one that a reviewed run has left behind. To review a run twice changes nothing: each
    account counts a snapshot once.
    """
    run = selectors.run_get(run_id)
    if run.state != RunState.COMPLETED or run.reviewed_at is not None:
        return 0
    moved = 0
    is_fresh = snapshot_state(run.snapshot, now).standing.is_fresh
    if is_fresh and not selectors.run_is_left_behind(run):
        rules = selectors.eligibility_rules_at(run.snapshot.as_of)
        for equities in _batches(selectors.results_to_review(run_id, rules)):
            moved += _review_batch(run, equities, rules, now)
    MarginRun.objects.filter(pk=run_id).update(reviewed_at=now)
    return moved


def _batches(results: Sequence[tuple[int, Decimal]]) -> Iterator[_Equities]:
    rest = iter(results)
    while batch := dict(islice(rest, BATCH)):
        yield batch


@transaction.atomic
def _review_batch(
    run: MarginRun, equities: _Equities, rules: dict[Methodology, EligibilityRules], now: datetime
) -> int:
    before = standings_lock(ids=list(equities))
    invested = standings.account_ids_invested(ids=list(equities))
    verdicts = {
        account_id: review(standing, evidence, rules[standing.methodology], now)
        for account_id, standing in before.items()
        if standing.methodology in rules
        for evidence in [Evidence(run.snapshot_id, equities[account_id], account_id in invested, True)]
    }
    moves = {account_id: verdict for account_id, verdict in verdicts.items() if verdict.kind is not None}
    for account_id, verdict in moves.items():
        _move(run, account_id, verdict, equities[account_id], rules[verdict.standing.methodology], now)
    watches_set(
        pending_of={
            account_id: verdict.standing
            for account_id, verdict in verdicts.items()
            if account_id not in moves and verdict.standing != before[account_id]
        }
    )
    return len(moves)


def _move(
    run: MarginRun,
    account_id: int,
    verdict: Verdict,
    net_equity: Decimal,
    rules: EligibilityRules,
    now: datetime,
) -> None:
    assert verdict.kind is not None
    actor = Actor(name="system:eligibility-review", request_id=f"run-{run.pk}")
    proof = Proof(
        snapshot=run.snapshot_id,
        net_equity=net_equity,
        min_net_equity=rules.min_net_equity,
        reasons=verdict.reasons,
        evidence={
            "run": run.pk,
            "as_of": run.snapshot.as_of.isoformat(),
            "confirmations": rules.confirmations,
            "below_minimum": rules.below_minimum.value,
        },
    )
    with account_changing(account_id=account_id, kind=LedgerKind.SETTING, actor=actor, now=now) as change:
        eligibility_move(change=change, to=verdict.standing, kind=verdict.kind, proof=proof)
