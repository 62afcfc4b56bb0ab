"""An account's eligibility as its holder sees it: the standing, its reasons, and what is asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from accounts import standings
from accounts.choices import EligibilityState
from accounts.eligibility import Standing
from margin.services.enrolment import Outlook, enrolment_outlook

#: How many of the newest moves are shown.
HISTORY: Final = 50


@dataclass(frozen=True, slots=True)
class EligibilityStatus:
    """In the terms of the API; `history` are transition rows, newest first."""

    state: EligibilityState
    methodology: str
    margin_methodology: str
    is_restricted: bool
    margin_due_at: datetime | None
    confirmations: int
    confirmations_needed: int | None
    net_equity: Decimal | None
    min_net_equity: Decimal | None
    reasons: tuple[str, ...]
    declaration: dict[str, Any] | None
    history: tuple[Any, ...]


def eligibility_status(*, account_id: int, now: datetime) -> EligibilityStatus:
    """Where an account stands, measured under its chosen methodology at the newest snapshot."""
    account = standings.account_by_id(account_id=account_id)
    standing = standings.standing_of(account)
    outlook = enrolment_outlook(account_id=account_id, methodology=standing.methodology, now=now)
    history = tuple(standings.account_transitions(account=account).order_by("-id")[:HISTORY])
    rules, figures = outlook.rules, outlook.measured.figures
    return EligibilityStatus(
        state=standing.state,
        methodology=standing.methodology,
        margin_methodology=standing.margin_methodology,
        is_restricted=standing.is_restricted,
        margin_due_at=standing.margin_due_at,
        confirmations=standing.count,
        confirmations_needed=rules.confirmations if rules else None,
        net_equity=figures.net_equity if figures else None,
        min_net_equity=rules.min_net_equity if rules else None,
        reasons=tuple(_reasons(standing, outlook, history)),
        declaration=_declaration(account_id),
        history=history,
    )


def _reasons(standing: Standing, outlook: Outlook, history: tuple[Any, ...]) -> Iterator[str]:
    """Against enrolling, for an account outside; else why it is suspended, and what is being counted."""
    if standing.state == EligibilityState.STANDARD:
        yield from outlook.reasons
        return
    if standing.state == EligibilityState.SUSPENDED and history:
        yield from history[0].reasons
    if standing.count and outlook.rules:
        side = "below" if standing.state == EligibilityState.ACTIVE else "at"
        yield (
            f"net equity was {side} the minimum of {outlook.rules.min_net_equity} USD at {standing.count}"
            f" of {outlook.rules.confirmations} consecutive snapshots"
        )


def _declaration(account_id: int) -> dict[str, Any] | None:
    current = standings.declaration_current()
    if current is None:
        return None
    accepted = standings.declaration_acceptance(account_id=account_id)
    return {
        "version": current.version,
        "text": current.text,
        "accepted_at": accepted.at if accepted else None,
    }
