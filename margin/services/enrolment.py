"""What a holder asks for: to enrol, to leave, or another methodology or hedge mode.

Each request locks the account, measures what would be in force at the newest snapshot, and is refused with
every reason and the figures they rest on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from accounts import standings
from accounts.choices import HEDGE_MODES, HedgeMode, LedgerKind, Methodology, TransitionKind
from accounts.eligibility import (
    EligibilityRules,
    Figures,
    Standing,
    change_refusals,
    changed,
    enrol_refusals,
    enrolled,
    kept_hedge_mode,
    leave_refusals,
    left,
)
from accounts.retirements import retirements_past
from accounts.services.accounts import account_settings_set
from accounts.services.changes import AccountChange, account_changing
from accounts.services.eligibility import Proof, eligibility_move
from accounts.states import AccountSettings
from margin import selectors
from margin.services.measuring import Measured, account_measure
from pmplatform.common.errors import Refused, ValidationFailed
from pmplatform.common.principals import Actor


@dataclass(frozen=True, slots=True)
class Outlook:
    """Whether an account could enrol in a methodology now: every reason against it, and what they rest on."""

    methodology: Methodology
    rules: EligibilityRules | None
    measured: Measured
    acceptance_id: int | None
    reasons: tuple[str, ...]


def enrolment_outlook(*, account_id: int, methodology: Methodology, now: datetime) -> Outlook:
    """What enrolling in a methodology would meet at the newest snapshot; reads only."""
    account = standings.account_by_id(account_id=account_id)
    measured = account_measure(
        account_id=account_id,
        methodology=methodology,
        hedge_mode=kept_hedge_mode(account.hedge_mode, methodology),
        now=now,
    )
    rules = _rules(methodology, measured)
    acceptance = standings.declaration_acceptance(account_id=account_id)
    reasons = enrol_refusals(
        standings.standing_of(account),
        methodology,
        rules,
        measured.figures,
        has_accepted=acceptance is not None,
        retirement=retirements_past(now).get(methodology),
    )
    every = (*measured.faults, *reasons)
    return Outlook(methodology, rules, measured, acceptance.pk if acceptance else None, every)


def account_enrol(*, account_id: int, methodology: Methodology | None, actor: Actor, now: datetime) -> None:
    """Enrol an account in its chosen methodology, or choose `methodology` and enrol in it.

    Raises
    ------
    Refused
        With every reason: equity, declaration, liquidation, cover, stale market, retirement.
    """
    with _changing(account_id, actor, now) as change:
        standing = standings.standing_of(change.account)
        wanted = methodology or standing.methodology
        outlook = enrolment_outlook(account_id=account_id, methodology=wanted, now=now)
        _refuse(outlook.reasons, outlook.measured)
        eligibility_move(
            change=change,
            to=enrolled(standing, wanted),
            kind=TransitionKind.ENROLLED,
            proof=replace(_proof(outlook.measured, outlook.rules), acceptance_id=outlook.acceptance_id),
        )


def account_leave(*, account_id: int, actor: Actor, now: datetime) -> None:
    """Take an account back to `standard`; Refused where equity would not cover its IMR there."""
    with _changing(account_id, actor, now) as change:
        standing = standings.standing_of(change.account)
        measured = account_measure(
            account_id=account_id, methodology=Methodology.STANDARD, hedge_mode=None, now=now
        )
        _refuse([*measured.faults, *leave_refusals(standing, measured.figures)], measured)
        proof = _proof(measured, None)
        eligibility_move(change=change, to=left(standing), kind=TransitionKind.LEFT, proof=proof)


def account_methodology_change(
    *,
    account_id: int,
    methodology: Methodology,
    hedge_mode: HedgeMode | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Choose a methodology, and a hedge mode of it; margin follows where the account is enrolled.

    Raises
    ------
    ValidationFailed
        Where the methodology has no such hedge mode.
    Refused
        In liquidation, for a retired methodology, or where equity would not cover the IMR that follows.
    """
    if hedge_mode is not None and hedge_mode not in HEDGE_MODES[methodology]:
        raise ValidationFailed.at("hedge_mode", f"is not one of {methodology}")
    with _changing(account_id, actor, now) as change:
        standing = standings.standing_of(change.account)
        to = changed(standing, methodology)
        measured = _measure_change(change, to, hedge_mode, now)
        moves = methodology != standing.methodology
        retirement = retirements_past(now).get(methodology) if moves else None
        reasons = change_refusals(standing, methodology, measured.figures, retirement=retirement)
        _refuse([*measured.faults, *reasons], measured)
        if moves:
            proof = _proof(measured, None)
            eligibility_move(change=change, to=to, kind=TransitionKind.CHANGED, proof=proof)
        settings = replace(AccountSettings.of(change.account), hedge_mode=hedge_mode)
        account_settings_set(change=change, settings=settings)


def hedge_mode_change(*, account_id: int, hedge_mode: HedgeMode | None, actor: Actor, now: datetime) -> None:
    """Choose another hedge mode of the chosen methodology; refused as a change of methodology is."""
    account_methodology_change(
        account_id=account_id,
        methodology=standings.account_standing(account_id=account_id).methodology,
        hedge_mode=hedge_mode,
        actor=actor,
        now=now,
    )


@contextmanager
def _changing(account_id: int, actor: Actor, now: datetime) -> Iterator[AccountChange]:
    with account_changing(account_id=account_id, kind=LedgerKind.SETTING, actor=actor, now=now) as change:
        yield change


def _measure_change(
    change: AccountChange, to: Standing, hedge_mode: HedgeMode | None, now: datetime
) -> Measured:
    """The figures that follow a change; nothing to measure where the margin stays as it is."""
    account = change.account
    before = (account.margin_methodology, account.hedge_mode)
    is_unmoved = before == (to.margin_methodology, hedge_mode)
    if is_unmoved or account.margin_methodology == to.margin_methodology == Methodology.STANDARD:
        return Measured()
    return account_measure(
        account_id=account.pk, methodology=to.margin_methodology, hedge_mode=hedge_mode, now=now
    )


def _rules(methodology: Methodology, measured: Measured) -> EligibilityRules | None:
    if measured.snapshot is None:
        return None
    return selectors.eligibility_rules(methodology, measured.snapshot.as_of)


def _refuse(reasons: Sequence[str], measured: Measured) -> None:
    """Raise Refused with all reasons, if there is one, and the figures."""
    if reasons:
        raise Refused(reasons, _figures_text(measured.figures))


def _figures_text(figures: Figures | None) -> dict[str, str]:
    if figures is None:
        return {}
    return {name: f"{getattr(figures, name):f}" for name in ("net_equity", "adjusted_equity", "imr")}


def _proof(measured: Measured, rules: EligibilityRules | None) -> Proof:
    figures, snapshot = measured.figures, measured.snapshot
    return Proof(
        snapshot=snapshot.pk if snapshot else None,
        net_equity=figures.net_equity if figures else None,
        min_net_equity=rules.min_net_equity if rules else None,
        evidence=_figures_text(figures) | ({"as_of": snapshot.as_of.isoformat()} if snapshot else {}),
    )
