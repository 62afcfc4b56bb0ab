"""The pure machine, rule by rule: no database, no clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.choices import BelowMinimum, EligibilityState, Methodology, TransitionKind
from accounts.eligibility import (
    EligibilityRules,
    Evidence,
    Figures,
    Retirement,
    Standing,
    Verdict,
    change_refusals,
    changed,
    enrol_refusals,
    enrolled,
    leave_refusals,
    left,
    review,
)

ACTIVE, SUSPENDED, STANDARD = EligibilityState.ACTIVE, EligibilityState.SUSPENDED, EligibilityState.STANDARD
OKX, CLASSIC, BYBIT = Methodology.OKX_2025, Methodology.OKX_CLASSIC, Methodology.BYBIT_UTA
NOW = datetime(2025, 2, 3, 10, tzinfo=UTC)
RICH, POOR = "10000", "9999.99999999"
SUSPEND = EligibilityRules(Decimal(10_000), BelowMinimum.SUSPEND, confirmations=2)
REVERT = replace(SUSPEND, below_minimum=BelowMinimum.REVERT)
KEEP = replace(SUSPEND, below_minimum=BelowMinimum.KEEP_IF_POSITIONS)
ENROLLED = Standing(ACTIVE, OKX, OKX)
OUT = Standing(STANDARD, OKX, Methodology.STANDARD)
FIGURES = Figures(net_equity=Decimal(10_000), adjusted_equity=Decimal(9_000), imr=Decimal(9_000))


def evidence(snapshot: int, net_equity: str, *, holds: bool = True, fresh: bool = True) -> Evidence:
    return Evidence(snapshot, Decimal(net_equity), holds_anything=holds, is_fresh=fresh)


def reviewed(
    standing: Standing, rules: EligibilityRules, *equities: str, holds: bool = True, every: float = 5.0
) -> list[Verdict]:
    """Review consecutive fresh snapshots, `every` so many seconds."""
    verdicts = []
    for number, equity in enumerate(equities, start=standing.snapshot + 1):
        at = NOW + timedelta(seconds=every * number)
        verdicts.append(review(standing, evidence(number, equity, holds=holds), rules, at))
        standing = verdicts[-1].standing
    return verdicts


def moves(verdicts: list[Verdict]) -> list[TransitionKind | None]:
    return [verdict.kind for verdict in verdicts]


@pytest.mark.parametrize(
    ("rules", "holds", "state", "margin", "kind"),
    [
        (SUSPEND, True, SUSPENDED, Methodology.STANDARD, TransitionKind.SUSPENDED),
        (SUSPEND, False, SUSPENDED, Methodology.STANDARD, TransitionKind.SUSPENDED),
        (REVERT, True, STANDARD, Methodology.STANDARD, TransitionKind.REVERTED),
        (REVERT, False, STANDARD, Methodology.STANDARD, TransitionKind.REVERTED),
        (KEEP, True, ACTIVE, OKX, None),
        (KEEP, False, STANDARD, Methodology.STANDARD, TransitionKind.REVERTED),
    ],
)
def test_below_the_minimum_twice_each_rule_does_its_own(
    rules: EligibilityRules,
    holds: bool,
    state: EligibilityState,
    margin: Methodology,
    kind: TransitionKind | None,
) -> None:
    first, second = reviewed(ENROLLED, rules, POOR, POOR, holds=holds)
    assert (first.kind, first.standing.state, first.standing.count) == (None, ACTIVE, 1)
    assert (second.kind, second.standing.state, second.standing.margin_methodology) == (kind, state, margin)
    assert POOR in second.reasons[0]


def test_equity_at_the_minimum_is_enough_and_breaks_the_row() -> None:
    verdicts = reviewed(ENROLLED, SUSPEND, POOR, RICH, POOR, RICH, POOR)
    assert moves(verdicts) == [None] * 5
    assert [verdict.standing.count for verdict in verdicts] == [1, 0, 1, 0, 1]


@pytest.mark.parametrize("confirmations", [1, 3])
def test_the_number_of_confirmations_is_the_parameters_(confirmations: int) -> None:
    verdicts = reviewed(ENROLLED, replace(SUSPEND, confirmations=confirmations), *[POOR] * 3)
    assert moves(verdicts).index(TransitionKind.SUSPENDED) == confirmations - 1


def test_a_stale_snapshot_neither_counts_nor_breaks_the_row() -> None:
    [first] = reviewed(ENROLLED, SUSPEND, POOR)
    for stale in (evidence(2, POOR, fresh=False), evidence(2, RICH, fresh=False)):
        assert review(first.standing, stale, SUSPEND, NOW) == Verdict(first.standing)
    again = review(first.standing, evidence(3, POOR), SUSPEND, NOW)
    assert again.kind == TransitionKind.SUSPENDED


def test_a_snapshot_counts_once_however_often_it_is_reviewed() -> None:
    [first] = reviewed(ENROLLED, SUSPEND, POOR)
    assert review(first.standing, evidence(1, POOR), SUSPEND, NOW) == Verdict(first.standing)


def test_a_suspended_account_comes_back_by_itself_after_the_confirmations() -> None:
    *_, fallen = reviewed(ENROLLED, SUSPEND, POOR, POOR)
    assert fallen.standing.is_restricted
    verdicts = reviewed(fallen.standing, SUSPEND, RICH, POOR, RICH, RICH)
    assert moves(verdicts) == [None, None, None, TransitionKind.RESTORED]
    back = verdicts[-1].standing
    assert (back.state, back.margin_methodology, back.is_restricted) == (ACTIVE, OKX, False)


def test_a_reverted_account_does_not_come_back_by_itself() -> None:
    *_, fallen = reviewed(ENROLLED, REVERT, POOR, POOR)
    assert moves(reviewed(fallen.standing, REVERT, RICH, RICH, RICH)) == [None] * 3


def test_a_kept_account_reverts_once_its_positions_are_gone() -> None:
    *_, kept = reviewed(ENROLLED, KEEP, POOR, POOR, POOR)
    [closed] = reviewed(kept.standing, KEEP, POOR, holds=False)
    assert closed.kind == TransitionKind.REVERTED


@pytest.mark.parametrize("rules", [SUSPEND, REVERT])
def test_grace_delays_the_margin_and_never_the_restriction(rules: EligibilityRules) -> None:
    kind = TransitionKind.SUSPENDED if rules is SUSPEND else TransitionKind.REVERTED
    patient = replace(rules, grace=timedelta(seconds=60))
    verdicts = reviewed(ENROLLED, patient, *[POOR] * 5, every=30.0)
    assert moves(verdicts) == [None, kind, None, TransitionKind.GRACE_ENDED, None]
    margins = [verdict.standing.margin_methodology for verdict in verdicts]
    assert margins == [OKX, OKX, OKX, Methodology.STANDARD, Methodology.STANDARD]
    assert [verdict.standing.is_restricted for verdict in verdicts[:3]] == [False, True, True]


def test_equity_back_within_the_grace_leaves_the_margin_as_it_was() -> None:
    patient = replace(SUSPEND, grace=timedelta(hours=1))
    verdicts = reviewed(ENROLLED, patient, POOR, POOR, RICH, RICH)
    assert {verdict.standing.margin_methodology for verdict in verdicts} == {OKX}
    assert (verdicts[-1].kind, verdicts[-1].standing.is_idle) == (TransitionKind.RESTORED, True)


def test_an_account_outside_is_never_moved_by_a_review() -> None:
    assert moves(reviewed(OUT, SUSPEND, POOR, RICH, POOR, POOR)) == [None] * 4


def test_enrolment_at_the_exact_limits_has_nothing_against_it() -> None:
    assert enrol_refusals(OUT, OKX, SUSPEND, FIGURES, has_accepted=True) == ()
    assert enrolled(OUT, BYBIT) == Standing(ACTIVE, BYBIT, BYBIT)


def test_a_refused_enrolment_lists_every_reason() -> None:
    standing = replace(ENROLLED, in_liquidation=True)
    poor = Figures(net_equity=Decimal(POOR), adjusted_equity=Decimal(1), imr=Decimal(2))
    retirement = Retirement(NOW, OKX)
    reasons = enrol_refusals(standing, CLASSIC, REVERT, poor, has_accepted=False, retirement=retirement)
    for word in ("liquidation", "retired", "enrolled already", "declaration", "minimum", "IMR"):
        assert sum(word in reason for reason in reasons) == 1, word
    assert len(reasons) == 6


def test_standard_is_nothing_to_enrol_in() -> None:
    [reason] = enrol_refusals(OUT, Methodology.STANDARD, None, FIGURES, has_accepted=True)
    assert "no portfolio margin" in reason


def test_leaving_needs_cover_under_standard_and_no_liquidation() -> None:
    assert leave_refusals(ENROLLED, FIGURES) == ()
    assert left(ENROLLED) == OUT
    short = replace(FIGURES, imr=Decimal("9000.00000001"))
    reasons = leave_refusals(replace(ENROLLED, in_liquidation=True), short)
    assert len(reasons) == 2
    assert "under standard" in reasons[1]
    assert "not enrolled" in leave_refusals(OUT, FIGURES)[0]


@pytest.mark.parametrize(
    ("standing", "methodology", "after"),
    [
        (ENROLLED, BYBIT, Standing(ACTIVE, BYBIT, BYBIT)),
        (ENROLLED, OKX, ENROLLED),
        (ENROLLED, Methodology.STANDARD, Standing(STANDARD, Methodology.STANDARD, Methodology.STANDARD)),
        (OUT, BYBIT, Standing(STANDARD, BYBIT, Methodology.STANDARD)),
        (
            Standing(SUSPENDED, OKX, Methodology.STANDARD, count=1),
            BYBIT,
            Standing(SUSPENDED, BYBIT, Methodology.STANDARD),
        ),
    ],
)
def test_margin_follows_the_choice_unless_standard_is_in_force(
    standing: Standing, methodology: Methodology, after: Standing
) -> None:
    assert changed(standing, methodology) == after


def test_a_change_needs_cover_under_what_follows_and_a_methodology_that_is_offered() -> None:
    assert change_refusals(ENROLLED, BYBIT, FIGURES) == ()
    assert change_refusals(OUT, BYBIT, None) == ()
    short = replace(FIGURES, adjusted_equity=Decimal(0))
    standing = replace(ENROLLED, in_liquidation=True)
    reasons = change_refusals(standing, CLASSIC, short, retirement=Retirement(NOW, OKX))
    assert len(reasons) == 3
    assert "under okx-classic" in reasons[2]
