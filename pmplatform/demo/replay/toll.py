"""What a replay has cost so far: how many accounts were warned, repaid, liquidated, taken over."""

from dataclasses import dataclass
from typing import Final

from liquidation import selectors as liquidation
from liquidation.choices import CaseOutcome, CaseState, CaseTrigger
from liquidation.planner.plan import StepKind
from pmplatform.common.events import EventKind, events_after
from pmplatform.common.principals import Principal

_PLATFORM: Final = Principal("replay", tenant_id=None, scopes=frozenset(), writable_tenants=None)
_STOPPED: Final = (CaseState.ADL_REQUIRED, CaseState.QUARANTINED)
_AT_ONCE: Final = 1_000


@dataclass(frozen=True)
class Toll:
    """Accounts, each counted once however often it happened to it; `steps` and `live` count cases' own.

    Attributes
    ----------
    repaid : for which a step has paid back debts.
    liquidated : for which a case of liquidation has taken a step.
    taken_over : that went to the insurance fund.
    live, stopped : cases that are not closed, and those of them that wait for a person.
    unconserved : closed cases whose ledger does not add up.
    """

    warned: int = 0
    repaid: int = 0
    liquidated: int = 0
    taken_over: int = 0
    live: int = 0
    stopped: int = 0
    steps: int = 0
    unconserved: int = 0


class WarningsSeen:
    """The accounts that have been warned, read from the events as they grow."""

    def __init__(self) -> None:
        self._last = 0
        self._accounts: set[int] = set()

    def count(self) -> int:
        """How many accounts have been warned by now."""
        while events := events_after(last_id=self._last, limit=_AT_ONCE):
            self._last = events[-1].pk
            self._accounts |= {event.data["account"] for event in events if event.kind == EventKind.WARNING}
        return len(self._accounts)


def toll_taken(warned: int) -> Toll:
    """The toll by the cases there are."""
    cases = list(liquidation.cases_visible(principal=_PLATFORM))
    closed = [case for case in cases if case.state == CaseState.CLOSED]
    repaying = liquidation.steps_done_after(0).filter(kind=StepKind.REPAY)
    return Toll(
        warned=warned,
        repaid=repaying.values("case__account").distinct().order_by().count(),
        liquidated=len(
            {case.account_id for case in cases if case.trigger == CaseTrigger.LIQUIDATION and case.steps_done}
        ),
        taken_over=len({case.account_id for case in closed if case.outcome == CaseOutcome.TAKEOVER}),
        live=len(cases) - len(closed),
        stopped=sum(case.state in _STOPPED for case in cases),
        steps=sum(case.steps_done for case in cases),
        unconserved=sum(bool(case.residuals) for case in closed),
    )
