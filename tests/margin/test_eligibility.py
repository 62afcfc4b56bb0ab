"""Reviews after real runs over markets that really fell."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import Account, EligibilityTransition, EligibilityWatch
from accounts.verification import ledger_mismatches
from margin.choices import RunReason
from margin.models import MarginResult, MarginRun
from margin.services.eligibility import eligibility_review
from margin.services.market import snapshot_accept
from margin.services.runs import run_start
from margin.tasks import enqueue
from tests.margin.falling import (
    CRASH,
    STEP,
    account_worth,
    linear_market,
    margined,
    moved,
    recorded_factors,
)
from tests.margin.world import ACTOR, AS_OF, world
from tests.support.processes import start_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = timedelta(seconds=1)


def review_at(as_of: datetime, factor: float, *, age: timedelta = MOMENT) -> int:
    """Margin and review the market with BTC at a factor, the snapshot being so old."""
    run = margined(moved(linear_market(), factor), as_of)
    return eligibility_review(run_id=run.pk, now=as_of + age)


def history(code: str) -> list[str]:
    transitions = EligibilityTransition.objects.filter(account__code=code).order_by("id")
    return list(transitions.values_list("kind", flat=True))


def account(code: str) -> Account:
    return Account.objects.get(code=code)


@pytest.mark.skipif(not CRASH.exists(), reason="the recorded crash is not here")
def test_the_recorded_crash_moves_each_account_by_the_rule_of_its_methodology() -> None:
    books = [
        account_worth(15_000, "SUSPEND"),
        account_worth(15_000, "REVERT", "okx-classic"),
        account_worth(15_000, "KEEP", "bybit-uta"),
        account_worth(15_000, "EMPTY", "bybit-uta", orders=False),
        account_worth(150_000, "RICH"),
    ]
    # The parameters of okx-classic stay in force; that nobody is enrolled in it any more is the platform's.
    world(linear_market(), AS_OF, books)
    moves: dict[str, list[tuple[str, str]]] = {book["id"]: [] for book in books}
    closes = recorded_factors("2020-03-12T00:00:00Z", "2020-03-13T08:00:00Z")
    for number, (hour, factor) in enumerate(closes, start=1):
        review_at(AS_OF + number * STEP, factor)
        for code, seen in moves.items():
            if (now := history(code)[1:]) and len(now) > len(seen):
                seen.append((hour, now[-1]))
    # 15,000 USD at 7,926.05 are 10,000 at 5,284.03: below it closed 23:00, 00:00, 01:00, 02:00 and 04:00 to
    # 06:00, above it 03:00, 07:00 and 08:00.
    second_below, second_above = "2020-03-13T00:00:00Z", "2020-03-13T08:00:00Z"
    assert moves == {
        "SUSPEND": [(second_below, "suspended"), (second_above, "restored")],
        "REVERT": [(second_below, "reverted")],
        "KEEP": [],
        "EMPTY": [(second_below, "reverted")],
        "RICH": [],
    }
    assert account("SUSPEND").margin_methodology == "okx-2025"
    assert (account("REVERT").eligibility_state, account("REVERT").margin_methodology) == ("standard",) * 2
    assert account("KEEP").eligibility_state == "active"
    assert list(ledger_mismatches()) == []


def suspended_world() -> None:
    """One account below the minimum at two snapshots; the next is the third."""
    world(linear_market(), AS_OF, [account_worth(12_000, "A")])
    assert [review_at(AS_OF + n * STEP, 0.8) for n in (1, 2)] == [0, 1]


def test_a_suspended_account_is_restricted_and_margined_by_standard_until_equity_is_back() -> None:
    suspended_world()
    fallen = account("A")
    assert (fallen.eligibility_state, fallen.margin_methodology) == ("suspended", "standard")
    assert fallen.reduce_only
    assert [review_at(AS_OF + n * STEP, 0.9) for n in (3, 4)] == [0, 1]
    back = account("A")
    assert (back.eligibility_state, back.margin_methodology, back.reduce_only) == (
        "active",
        "okx-2025",
        False,
    )
    assert back.activation is not None
    assert back.activation.kind == "restored"
    assert not EligibilityWatch.objects.exists()


def test_a_transition_keeps_the_evidence_it_rests_on() -> None:
    suspended_world()
    run = MarginRun.objects.latest("id")
    transition = EligibilityTransition.objects.get(kind="suspended")
    result = MarginResult.objects.get(run=run)
    assert (transition.snapshot, transition.net_equity) == (run.snapshot_id, result.net_equity)
    assert transition.min_net_equity == 10_000
    assert transition.evidence["confirmations"] == 2
    assert transition.evidence["run"] == run.pk
    assert (transition.by, transition.request_id) == ("system:eligibility-review", f"run-{run.pk}")
    assert "2 consecutive snapshots" in transition.reasons[0]


def test_a_stale_snapshot_moves_nobody_and_counts_for_nothing() -> None:
    world(linear_market(), AS_OF, [account_worth(12_000, "A")])
    for number in (1, 2, 3):
        assert review_at(AS_OF + number * STEP, 0.8, age=timedelta(seconds=121)) == 0
    assert not EligibilityWatch.objects.exists()
    assert review_at(AS_OF + 4 * STEP, 0.8, age=timedelta(seconds=120)) == 0
    assert EligibilityWatch.objects.get().count == 1


def test_a_snapshot_counts_once_however_many_runs_and_reviews_it_has() -> None:
    world(linear_market(), AS_OF, [account_worth(12_000, "A")])
    market, as_of = moved(linear_market(), 0.8), AS_OF + STEP
    snapshot_accept(market=market, as_of=as_of, source="tests", actor=ACTOR)
    first = margined(market, as_of)
    for _ in range(3):
        eligibility_review(run_id=first.pk, now=as_of + MOMENT)
        MarginRun.objects.update(reviewed_at=None)
    assert EligibilityWatch.objects.get().count == 1


def test_a_run_whose_snapshot_is_left_behind_moves_nobody() -> None:
    world(linear_market(), AS_OF, [account_worth(12_000, "A")])
    late = margined(moved(linear_market(), 0.8), AS_OF + STEP)
    assert review_at(AS_OF + 2 * STEP, 0.8) == 0
    assert eligibility_review(run_id=late.pk, now=AS_OF + 2 * STEP) == 0
    assert EligibilityWatch.objects.get().count == 1
    late.refresh_from_db()
    assert late.reviewed_at is not None


def test_workers_review_every_run_that_completes() -> None:
    began = timezone.now()
    world(linear_market(), began, [account_worth(12_000, "A")])
    asked_for = MarginRun.objects.filter(reason=RunReason.MANUAL)
    with start_worker():
        for number in (1, 2):
            market = moved(linear_market(), 0.8)
            snapshot_accept(market=market, as_of=began + number * MOMENT, source="tests", actor=ACTOR)
            enqueue(run_start(reason=RunReason.MANUAL))
            # What the suspension itself has margined again is a run of its own, which nobody reviews.
            wait_until(lambda: not asked_for.filter(reviewed_at__isnull=True).exists())
    assert history("A") == ["loaded", "suspended"]
