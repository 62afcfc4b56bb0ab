"""PURE: who may be margined as a portfolio. (standing, evidence) -> (standing, reasons).

    standard --enrol--> active --below the minimum, confirmed--> suspended | standard | (kept)
                          ^                                          |
                          +------------ at the minimum, confirmed ---+
    active, suspended --leave--> standard

*Below* and *at* the minimum are confirmed by consecutive fresh snapshots, each counted once. A snapshot that
is stale, or taken while the market is on hold, neither counts nor breaks the row. Money is in USD.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.choices import (
    HEDGE_MODES,
    BelowMinimum,
    EligibilityState,
    HedgeMode,
    Methodology,
    TransitionKind,
)


@dataclass(frozen=True, slots=True)
class EligibilityRules:
    """What the parameters of the chosen methodology say; `grace` delays the change of margin only."""

    min_net_equity: Decimal
    below_minimum: BelowMinimum
    confirmations: int
    grace: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands.

    Attributes
    ----------
    methodology, margin_methodology : the holder's choice, and the one in force.
    count : consecutive fresh snapshots, `snapshot` the last, that speak for leaving the state.
    margin_due_at : when a grace period ends and `standard` takes over; None outside of one.
    """

    state: EligibilityState
    methodology: Methodology
    margin_methodology: Methodology
    in_liquidation: bool = False
    count: int = 0
    snapshot: int = 0
    margin_due_at: datetime | None = None

    @property
    def is_restricted(self) -> bool:
        """Whether orders that raise risk are refused: suspended, or in a grace period."""
        return self.state == EligibilityState.SUSPENDED or self.margin_due_at is not None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being counted or waited for."""
        return self.count == 0 and self.margin_due_at is None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one margin run shows of an account; `is_fresh` is neither stale nor on hold."""

    snapshot: int
    net_equity: Decimal
    holds_anything: bool
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The standing after a review. Without `kind` the account has not moved, whatever was counted."""

    standing: Standing
    kind: TransitionKind | None = None
    reasons: tuple[str, ...] = ()


def review(standing: Standing, evidence: Evidence, rules: EligibilityRules, now: datetime) -> Verdict:
    """Count a run's snapshot for or against the account, and move it once confirmed."""
    if not evidence.is_fresh or evidence.snapshot <= standing.snapshot:
        return Verdict(standing)
    below = evidence.net_equity < rules.min_net_equity
    counts = below if standing.state == EligibilityState.ACTIVE else not below
    if standing.state == EligibilityState.STANDARD or not counts:
        counted = replace(standing, count=0, snapshot=evidence.snapshot)
        return _grace_reviewed(counted, now)
    count = min(standing.count + 1, rules.confirmations)
    counted = replace(standing, count=count, snapshot=evidence.snapshot)
    if count < rules.confirmations:
        return _grace_reviewed(counted, now)
    return _fallen(counted, evidence, rules, now) if below else _restored(counted, evidence, rules)


def _fallen(standing: Standing, evidence: Evidence, rules: EligibilityRules, now: datetime) -> Verdict:
    """Below the minimum, confirmed: what the methodology's rule makes of an active account."""
    why = (
        f"net equity {evidence.net_equity} USD is below the minimum of {rules.min_net_equity} USD"
        f" at {rules.confirmations} consecutive snapshots"
    )
    match rules.below_minimum:
        case BelowMinimum.KEEP_IF_POSITIONS if evidence.holds_anything:
            return Verdict(standing, None, (why, "positions or orders keep the account enrolled"))
        case BelowMinimum.SUSPEND:
            state, kind = EligibilityState.SUSPENDED, TransitionKind.SUSPENDED
        case _:
            state, kind = EligibilityState.STANDARD, TransitionKind.REVERTED
    moved = replace(standing, state=state, count=0)
    if rules.grace:
        until = now + rules.grace
        return Verdict(replace(moved, margin_due_at=until), kind, (why, f"margin changes at {until}"))
    return Verdict(replace(moved, margin_methodology=Methodology.STANDARD), kind, (why,))


def _restored(standing: Standing, evidence: Evidence, rules: EligibilityRules) -> Verdict:
    """Back at the minimum, confirmed: a suspended account is active again."""
    why = (
        f"net equity {evidence.net_equity} USD is at the minimum of {rules.min_net_equity} USD"
        f" at {rules.confirmations} consecutive snapshots"
    )
    moved = _settled(standing, EligibilityState.ACTIVE, standing.methodology)
    return Verdict(moved, TransitionKind.RESTORED, (why,))


def _grace_reviewed(standing: Standing, now: datetime) -> Verdict:
    """Let `standard` take over once a grace period has ended."""
    due = standing.margin_due_at
    if due is None or now < due:
        return Verdict(standing)
    moved = replace(standing, margin_methodology=Methodology.STANDARD, margin_due_at=None)
    return Verdict(moved, TransitionKind.GRACE_ENDED, (f"the grace period ended at {due}",))


# What a holder asks for: the reasons against it, and the standing it leads to.


@dataclass(frozen=True, slots=True)
class Figures:
    """An account's figures under the methodology that would be in force; equities down, `imr` up."""

    net_equity: Decimal
    adjusted_equity: Decimal
    imr: Decimal


@dataclass(frozen=True, slots=True)
class Retirement:
    """From when a methodology is no longer offered, and which takes its place."""

    at: datetime
    successor: Methodology


def enrol_refusals(
    standing: Standing,
    methodology: Methodology,
    rules: EligibilityRules | None,
    figures: Figures | None,
    *,
    has_accepted: bool,
    retirement: Retirement | None = None,
) -> tuple[str, ...]:
    """Every reason against enrolling in `methodology`, which has `rules` if it is a portfolio one.

    `retirement` is that of the methodology, if in the past. Without `figures` the caller knows why.
    """
    reasons = [*_standing_refusals(standing), *_retirement_refusals(methodology, retirement)]
    if standing.state != EligibilityState.STANDARD:
        reasons.append(f"the account is enrolled already, and {standing.state}")
    if rules is None:
        reasons.append(f"{methodology} is no portfolio margin to enrol in")
    if not has_accepted:
        reasons.append("the current declaration of understanding is not accepted")
    if figures is not None:
        if rules is not None and figures.net_equity < rules.min_net_equity:
            reasons.append(
                f"net equity {figures.net_equity} USD is below the minimum of {rules.min_net_equity} USD"
            )
        reasons += _cover_refusals(methodology, figures)
    return tuple(reasons)


def leave_refusals(standing: Standing, figures: Figures | None) -> tuple[str, ...]:
    """Every reason against going back to `standard`, under which `figures` are."""
    reasons = [*_standing_refusals(standing)]
    if standing.state == EligibilityState.STANDARD:
        reasons.append("the account is not enrolled")
    if figures is not None:
        reasons += _cover_refusals(Methodology.STANDARD, figures)
    return tuple(reasons)


def change_refusals(
    standing: Standing,
    methodology: Methodology,
    figures: Figures | None,
    *,
    retirement: Retirement | None = None,
) -> tuple[str, ...]:
    """Every reason against choosing `methodology`, or another hedge mode in it.

    `figures` are those under `changed(...).margin_methodology`, None where the margin stays as it is.
    """
    reasons = [*_standing_refusals(standing), *_retirement_refusals(methodology, retirement)]
    if figures is not None:
        reasons += _cover_refusals(changed(standing, methodology).margin_methodology, figures)
    return tuple(reasons)


def enrolled(standing: Standing, methodology: Methodology) -> Standing:
    """The standing of an account that has just enrolled."""
    return _settled(replace(standing, methodology=methodology), EligibilityState.ACTIVE, methodology)


def left(standing: Standing) -> Standing:
    """The standing of an account that has just left; its choice is kept for another time."""
    return _settled(standing, EligibilityState.STANDARD, Methodology.STANDARD)


def changed(standing: Standing, methodology: Methodology) -> Standing:
    """The standing after another choice: margin follows it unless `standard` is in force.

    To choose `standard` is to leave; what was counted under the rules of the old choice is forgotten.
    """
    if methodology == standing.methodology:
        return standing
    chosen = replace(standing, methodology=methodology, count=0)
    if methodology == Methodology.STANDARD:
        return left(chosen)
    if standing.margin_methodology == Methodology.STANDARD:
        return chosen
    return replace(chosen, margin_methodology=methodology)


def kept_hedge_mode(hedge_mode: str | None, methodology: Methodology) -> HedgeMode | None:
    """The hedge mode where the methodology has it, else None, which is the methodology's default."""
    return HedgeMode(hedge_mode) if hedge_mode in HEDGE_MODES[methodology] else None


def _settled(standing: Standing, state: EligibilityState, margin: Methodology) -> Standing:
    return replace(standing, state=state, margin_methodology=margin, count=0, margin_due_at=None)


def _standing_refusals(standing: Standing) -> tuple[str, ...]:
    return ("the account is in liquidation",) if standing.in_liquidation else ()


def _retirement_refusals(methodology: Methodology, retirement: Retirement | None) -> tuple[str, ...]:
    if retirement is None:
        return ()
    return (f"{methodology} was retired at {retirement.at}; its successor is {retirement.successor}",)


def _cover_refusals(methodology: Methodology, figures: Figures) -> tuple[str, ...]:
    if figures.adjusted_equity >= figures.imr:
        return ()
    return (
        f"adjusted equity {figures.adjusted_equity} USD does not cover the IMR of {figures.imr} USD"
        f" under {methodology}",
    )
