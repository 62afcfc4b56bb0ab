"""The review after a run: who is to be warned, and who has stayed at or past a threshold."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from django.conf import settings
from django.db import transaction

from liquidation import selectors
from liquidation.models import MarginWatch, RunReview
from liquidation.services.cases import case_open
from liquidation.watching import Sight, Verdict, Watch, WatchRules, observe
from margin import selectors as margin
from margin.choices import RunState
from margin.market_states import snapshot_state
from margin.watched import WatchedResult, parameters_in_force_all, results_to_watch, warning_ratio
from pmplatform.common.errors import LockTimeout, Refused
from pmplatform.common.events import EventKind, NewEvent, events_append
from pmplatform.common.locking import turn_take

logger = logging.getLogger(__name__)

#: Accounts that are looked at in one transaction.
BATCH: Final = 500
_TURN: Final = "liquidation-review"


def run_review(*, run_id: int, now: datetime) -> int:
    """Warn the accounts of a completed run, and open cases for the confirmed; returns how many were opened.

    By a stale snapshot or one in HOLD nobody is warned or counted, nor by one that a reviewed run has left
    behind. To review a run twice changes nothing, and finishes what the first time could not.
    """
    run = margin.run_get(run_id)
    if run.state != RunState.COMPLETED or selectors.run_is_reviewed(run_id, run.snapshot_id):
        return 0
    opened = 0
    if snapshot_state(run.snapshot, now).standing.is_fresh:
        rules = watch_rules(run.snapshot.as_of)
        watched = set(selectors.watches())
        for results in _batches(results_to_watch(run_id, watched)):
            confirmed = _watch(results, rules, run.snapshot_id, now)
            opened += sum(_open(result, run_id, run.snapshot_id, now) for result in confirmed)
    RunReview.objects.get_or_create(run_id=run_id, defaults={"snapshot": run.snapshot_id, "at": now})
    return opened


def watch_rules(at: datetime) -> dict[str, WatchRules]:
    """The rules of every methodology in force at a time."""
    return {
        methodology: WatchRules(
            confirmations=parameters.liquidation.confirmations,
            rearm_ratio=warning_ratio(parameters) * (1.0 + settings.PM_WARNING_HYSTERESIS),
        )
        for methodology, parameters in parameters_in_force_all(at).items()
    }


def _batches(results: Sequence[WatchedResult]) -> Iterator[list[WatchedResult]]:
    rest = iter(results)
    while batch := list(islice(rest, BATCH)):
        yield batch


@transaction.atomic
def _watch(
    results: Sequence[WatchedResult], rules: Mapping[str, WatchRules], snapshot: int, now: datetime
) -> list[WatchedResult]:
    """Remember what a snapshot says of accounts, and warn those to be warned; returns the confirmed ones."""
    turn_take(_TURN)
    before = selectors.watches([result.account for result in results])
    verdicts = {
        result.account: observe(
            _read(before.get(result.account)), _sight(result, snapshot), rules[result.methodology]
        )
        for result in results
        if result.methodology in rules
    }
    for account, verdict in verdicts.items():
        _remember(before.get(account), account, verdict, now)
    warned = [result for result in results if result.account in verdicts and verdicts[result.account].warns]
    events_append(events=[_warning(result, snapshot) for result in warned], now=now)
    return [
        result for result in results if result.account in verdicts and verdicts[result.account].is_confirmed
    ]


def _read(row: MarginWatch | None) -> Watch:
    return Watch() if row is None else Watch(row.count, row.snapshot, row.warned_at is not None)


def _sight(result: WatchedResult, snapshot: int) -> Sight:
    return Sight(snapshot, result.status, result.ratio)


def _remember(row: MarginWatch | None, account: int, verdict: Verdict, now: datetime) -> None:
    watch = verdict.watch
    if watch.is_idle:
        MarginWatch.objects.filter(account_id=account).delete()
        return
    row = row or MarginWatch(account_id=account)
    row.count, row.snapshot = watch.count, watch.snapshot
    row.warned_at = (row.warned_at or now) if watch.warned else None
    row.save()


def _warning(result: WatchedResult, snapshot: int) -> NewEvent:
    return NewEvent(
        EventKind.WARNING,
        result.tenant,
        {
            "account": result.account,
            "status": result.status.value,
            "margin_ratio": result.ratio,
            "snapshot": snapshot,
        },
    )


def _open(result: WatchedResult, run_id: int, snapshot: int, now: datetime) -> bool:
    """Open a confirmed account's case; one that cannot be opened now is looked at again with the next run."""
    evidence = {
        "run": run_id,
        "snapshot": snapshot,
        "status": result.status.value,
        "margin_ratio": result.ratio,
    }
    try:
        return case_open(account_id=result.account, evidence=evidence, now=now) is not None
    except (Refused, LockTimeout) as error:
        logger.warning("no case opened for account %d: %s", result.account, error)
        return False
