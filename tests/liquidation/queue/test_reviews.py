"""The review after a run: warned once per crossing, liquidated only when two fresh snapshots agree."""

from dataclasses import replace

import pytest

from accounts.models import Account
from liquidation.models import LiquidationCase
from liquidation.services.reviews import run_review
from liquidation.watching import Sight, Watch, WatchRules, observe
from margin.choices import MarginStatus, RunReason
from margin.models import MarginRun
from margin.services.runs import run_start
from pmplatform.common.events import EventKind
from pmplatform.common.models import Event
from tests.liquidation.queue.support import at, directional, snapshot, stored
from tests.margin.test_runs import work_through

RULES = WatchRules(confirmations=2, rearm_ratio=3.15)


def observed(*sights: tuple[MarginStatus, float]) -> list[tuple[bool, bool]]:
    """Whether each of these sights, a snapshot after the other, warns and is confirmed."""
    watch, verdicts = Watch(), []
    for number, (status, ratio) in enumerate(sights, start=1):
        verdict = observe(watch, Sight(number, status, ratio), RULES)
        watch = verdict.watch
        verdicts.append((verdict.warns, verdict.is_confirmed))
    return verdicts


def test_a_warning_is_given_once_per_crossing_and_armed_again_beyond_the_hysteresis() -> None:
    warning, normal = MarginStatus.WARNING, MarginStatus.NORMAL
    seen = observed(
        (warning, 2.9), (warning, 2.8), (normal, 3.1), (warning, 2.9), (normal, 3.2), (warning, 2.9)
    )
    assert [warns for warns, _ in seen] == [True, False, False, False, False, True]


def test_a_threshold_is_confirmed_by_consecutive_snapshots_only() -> None:
    past, above = MarginStatus.LIQUIDATION, MarginStatus.WARNING
    seen = observed((past, 0.9), (above, 1.1), (past, 0.9), (past, 0.8))
    assert [confirmed for _, confirmed in seen] == [False, False, False, True]


def test_the_same_snapshot_counts_once_and_an_older_one_not_at_all() -> None:
    first = observe(Watch(), Sight(7, MarginStatus.LIQUIDATION, 0.9), RULES)
    for again in (7, 6):
        verdict = observe(first.watch, Sight(again, MarginStatus.LIQUIDATION, 0.9), RULES)
        assert verdict == replace(verdict, watch=first.watch, warns=False, is_confirmed=False)


def reviewed(seconds: float) -> int:
    """Margin the book at the newest snapshot and review the run; how many cases that opens."""
    work_through(run_start(reason=RunReason.SNAPSHOT))
    return run_review(run_id=MarginRun.objects.latest("id").pk, now=at(seconds))


@pytest.mark.django_db(transaction=True)
def test_two_fresh_snapshots_open_one_case_and_a_stale_one_opens_none() -> None:
    document = directional()
    stored(document)
    assert reviewed(1) == 0
    assert Event.objects.filter(kind=EventKind.WARNING).count() == 1
    snapshot(document, 60)
    assert reviewed(600) == 0, "a stale snapshot confirms nothing"
    snapshot(document, 700, factor=0.999)
    assert reviewed(701) == 1
    case = LiquidationCase.objects.get()
    assert case.evidence["status"] == "liquidation"
    assert Account.objects.get().in_liquidation
    assert Event.objects.filter(kind=EventKind.WARNING).count() == 1
