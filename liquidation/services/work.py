"""What a worker does for the queue: claims a case, takes its steps one after another, and gives it back."""

import logging
from datetime import timedelta
from typing import Final

from liquidation import selectors
from liquidation.errors import VenueFault, VenueSilent
from liquidation.execution.port import ExecutionPort
from liquidation.queue import Claim, case_claim, case_fail, case_release, cases_exhausted
from liquidation.services.cases import case_quarantine, exhausted_reason
from liquidation.services.steps import Clock, Progress, step_act
from liquidation.services.venue import orders_work
from pmplatform.common.errors import LockTimeout, Refused, StaleClaim

logger = logging.getLogger(__name__)

#: Steps that a worker takes before others get their turn: well within the time of a task.
STEPS_AT_ONCE: Final = 20


def case_work(*, port: ExecutionPort, clock: Clock, steps: int | None = None) -> bool:
    """Work on the most urgent case, ``steps`` at most if given; False when there was none to claim.

    Whatever ends the work is written with the case: what blocks it, or why the attempt failed. A claim
    that was lost is left to whoever has the case now.
    """
    claim = case_claim(now=clock())
    if claim is None:
        return False
    try:
        for _ in range(steps or STEPS_AT_ONCE):
            if not _advance(claim, port, clock):
                return True
        case_release(claim=claim, reason="", now=clock(), wait=timedelta(0))
    except StaleClaim as error:
        logger.info("claim lost: %s", error)
    except VenueFault as error:
        case_quarantine(case_id=claim.case_id, reason=str(error), now=clock())
    except VenueSilent as error:
        case_fail(claim=claim, failure=str(error), now=clock())
    except (Refused, LockTimeout) as error:
        case_release(claim=claim, reason=str(error), now=clock())
    except Exception as error:
        case_fail(claim=claim, failure=f"{type(error).__name__}: {error}", now=clock())
        raise
    return True


def _advance(claim: Claim, port: ExecutionPort, clock: Clock) -> bool:
    """Take one step further; False where the case is at an end for this worker."""
    step = selectors.step_open(claim.case_id)
    if step is not None:
        orders_work(claim=claim, step=step, port=port, clock=clock)
        return True
    return step_act(claim=claim, port=port, clock=clock) is not Progress.ENDED


def cases_quarantine(*, clock: Clock) -> int:
    """Take the cases out of the queue that have used up their attempts; returns how many."""
    now = clock()
    exhausted = cases_exhausted(now=now)
    return sum(case_quarantine(case_id=case.pk, reason=exhausted_reason(case), now=now) for case in exhausted)
