"""PostgreSQL as the queue of cases: claimed with lease, attempts and fence; a lost claim stays lost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from liquidation.choices import CaseState
from liquidation.models import LiquidationCase
from liquidation.selectors import controls, orders_out
from pmplatform.common.errors import StaleClaim

LEASE: Final = timedelta(seconds=60)
#: How long a case that may not act waits before it is tried again.
PAUSE: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Claim:
    """A case held by this worker while its fence is the case's."""

    case_id: int
    account_id: int
    fence: int


def _workable() -> Q:
    """Cases that a worker has something to do for.

    They are those at work, those that wait for an approval that nobody asks for any more, and paused ones
    whose orders are still at the venue: what has been traded is booked, whoever paused.
    """
    out = orders_out().filter(step__case=OuterRef("pk"))
    workable = Q(state=CaseState.WORKING) | Q(Exists(out), state=CaseState.PAUSED)
    if not controls().approve_mode:
        workable |= Q(state=CaseState.AWAITING_APPROVAL)
    return workable


def _free(now: datetime) -> QuerySet[LiquidationCase]:
    unheld = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return LiquidationCase.objects.filter(_workable(), unheld, due_at__lte=now)


@transaction.atomic
def case_claim(*, now: datetime) -> Claim | None:
    """Claim the case with the largest deficit that nobody holds; None when there is none."""
    waiting = _free(now).filter(attempts__lt=settings.PM_MAX_ATTEMPTS).order_by("-deficit_usd", "id")
    case = waiting.select_for_update(skip_locked=True).first()
    if case is None:
        return None
    case.attempts += 1
    case.fence += 1
    case.lease_until = now + LEASE
    case.save(update_fields=["attempts", "fence", "lease_until"])
    return Claim(case.pk, case.account_id, case.fence)


def _held(claim: Claim) -> QuerySet[LiquidationCase]:
    live = LiquidationCase.objects.exclude(state=CaseState.CLOSED)
    return live.filter(pk=claim.case_id, fence=claim.fence)


def case_hold(claim: Claim) -> LiquidationCase:
    """Lock a claimed case until the transaction ends.

    Raises
    ------
    StaleClaim
        When the lease ended and another worker took the case, or a person stopped it.
    """
    case = _held(claim).select_for_update().first()
    if case is None:
        raise StaleClaim(f"case {claim.case_id} is no longer held with fence {claim.fence}")
    return case


def case_release(*, claim: Claim, reason: str, now: datetime, wait: timedelta = PAUSE) -> None:
    """Give a case back that was not allowed to act, or not long enough; that is no attempt."""
    _held(claim).update(
        lease_until=None,
        attempts=Greatest(F("attempts") - 1, 0),
        blocked=reason[:2000],
        due_at=now + wait,
    )


def case_fail(*, claim: Claim, failure: str, now: datetime) -> None:
    """Record why an attempt failed; the next one waits longer, until the attempts are used up."""
    case = _held(claim).first()
    if case is not None:
        wait = PAUSE * case.attempts
        _held(claim).update(lease_until=None, failure=failure[:2000], due_at=now + wait)


def cases_exhausted(*, now: datetime) -> list[LiquidationCase]:
    """Cases out of attempts that nobody holds."""
    return list(_free(now).filter(attempts__gte=settings.PM_MAX_ATTEMPTS).order_by("id"))


def cases_wait(*, now: datetime) -> bool:
    """Whether there is a case to be claimed."""
    return _free(now).filter(attempts__lt=settings.PM_MAX_ATTEMPTS).exists()
