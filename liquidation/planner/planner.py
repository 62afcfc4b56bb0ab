"""From a book to a plan: step after step, each chosen by the state alone (spec 50, section 2)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import localcontext
from typing import Final

from liquidation.planner.amounts import CONTEXT
from liquidation.planner.assessment import Assessment
from liquidation.planner.basis import basis_reduction
from liquidation.planner.close import reduction, reduction_of_risk
from liquidation.planner.delta import dynamic_hedge, group_hedge
from liquidation.planner.depeg import depeg_hedge
from liquidation.planner.desk import Desk, Situation
from liquidation.planner.effects import Executed
from liquidation.planner.plan import Outcome, Plan, Step, StepKind, Trigger
from liquidation.planner.proposals import Groups, Proposal
from liquidation.planner.repay import repayment
from liquidation.planner.takeover import takeover
from margin.engine.documents.book import BookDocument
from margin.engine.results import Status

Kind = Callable[[Situation], Groups]

#: What comes before closing and repaying, in order.
_FIRST: Final[dict[str, tuple[Kind, ...]]] = {
    "okx-2025": (depeg_hedge, dynamic_hedge, basis_reduction),
    "okx-classic": (group_hedge, basis_reduction),
    "standard": (),
}
_BYBIT: Final = "bybit-uta"


@dataclass(frozen=True)
class Trial:
    """A proposal as it would turn out."""

    proposal: Proposal
    executed: Executed
    after: Assessment
    lowered: float

    @property
    def per_cost(self) -> float:
        """How far the deficit falls for a dollar of cost; what is free goes before all."""
        cost = float(self.executed.cost_usd)
        return self.lowered / cost if cost else float("inf")


Accepts = Callable[[Trial], bool]
Round = tuple[tuple[Kind, ...], Accepts]


def plan_of(book: BookDocument, continuing: Trigger | None = None) -> Plan:
    """The plan of a checked book.

    Parameters
    ----------
    continuing : the trigger of the case that this plan goes on with. Its goal holds wherever the account
        stands by now; None asks the account's own status.

    Raises
    ------
    NonFiniteError
        When a figure leaves the finite numbers.
    """
    with localcontext(CONTEXT):
        return _Planning(book, continuing).plan()


def trigger_of(status: Status) -> Trigger:
    """What an account's status calls for."""
    return Trigger(status) if status in (Status.LIQUIDATION, Status.REPAY) else Trigger.NONE


class _Planning:
    """One plan in the making."""

    def __init__(self, book: BookDocument, continuing: Trigger | None) -> None:
        self._book = book
        self._desk = Desk(book)
        (now,) = self._desk.assess([book.account_rows])
        self._initial = now
        self._trigger = trigger_of(now.status) if continuing is None else continuing
        self._steps: list[Step] = []

    def plan(self) -> Plan:
        if self._trigger is Trigger.NONE:
            return self._ended(Outcome.NOTHING_TO_DO, None)
        situation = Situation(self._desk, self._desk.merged(self._book.account_rows), self._initial)
        while (outcome := self._outcome(situation)) is None:
            trial = next_trial(situation, self._trigger)
            if trial is None:
                return self._ended(_stuck(situation, self._trigger), situation)
            self._steps.append(_step(len(self._steps) + 1, situation, trial))
            situation = Situation(self._desk, trial.executed.account, trial.after)
        return self._ended(outcome, situation)

    def _outcome(self, situation: Situation) -> Outcome | None:
        """How the plan ends here; None where it goes on."""
        if is_safe(situation.now, self._trigger):
            return Outcome.SAFE
        if is_hopeless(situation, self._trigger):
            return Outcome.TAKEOVER
        return Outcome.UNFINISHED if len(self._steps) >= self._desk.rules.max_steps else None

    def _ended(self, outcome: Outcome, situation: Situation | None) -> Plan:
        return Plan(
            methodology=self._book.methodology,
            parameters=self._book.parameters.header,
            trigger=self._trigger,
            initial=self._initial.figures(),
            steps=tuple(self._steps),
            outcome=outcome,
            account=situation.account if situation and self._steps else self._book.account_rows,
            takeover=takeover(situation) if situation and outcome is Outcome.TAKEOVER else None,
        )


def is_safe(now: Assessment, trigger: Trigger) -> bool:
    """Whether the goal is reached: no debt for a repayment, no deficit otherwise."""
    return not now.in_debt if trigger is Trigger.REPAY else now.deficit <= 0.0


def is_hopeless(situation: Situation, trigger: Trigger) -> bool:
    """Whether nothing is left to cover the requirement with, now that orders are out of the way."""
    return _liquidates(situation, trigger) and not situation.account.orders and situation.now.base <= 0.0


def _liquidates(situation: Situation, trigger: Trigger) -> bool:
    """Whether positions are at stake: a repayment that falls to the liquidation rate is past repaying."""
    return trigger is Trigger.LIQUIDATION or situation.now.status is Status.LIQUIDATION


def _stuck(situation: Situation, trigger: Trigger) -> Outcome:
    """How a plan ends that finds no step."""
    return Outcome.TAKEOVER if _liquidates(situation, trigger) else Outcome.NOTHING_TO_DO


def next_trial(situation: Situation, trigger: Trigger) -> Trial | None:
    """The next step, chosen by nothing but the situation; None where nothing helps."""
    if _liquidates(situation, trigger) and situation.account.orders:
        (cancelled,) = _tried(situation, [_cancellation(situation)])
        return cancelled
    known: dict[Kind, list[list[Trial]]] = {}
    for kinds, accepts in _rounds(situation, trigger):
        for kind in kinds:
            if kind not in known:
                known[kind] = _tried_groups(situation, kind(situation))
            found = _first_accepted(known[kind], accepts)
            if found:
                return found
    return None


def _rounds(situation: Situation, trigger: Trigger) -> Iterator[Round]:
    """Which kinds are tried in turn, and what a step must do to be taken."""
    now = situation.now
    if not _liquidates(situation, trigger):
        yield (repayment,), lambda trial: trial.after.debt_usd < now.debt_usd and trial.lowered >= 0.0
        return
    enough = situation.desk.rules.min_step * now.deficit
    demands: tuple[Accepts, ...] = (
        lambda trial: trial.lowered > 0.0 and trial.lowered >= enough,
        lambda trial: trial.lowered > 0.0,
    )
    for kinds in _kinds(situation):
        for demand in demands:
            yield kinds, demand


def _kinds(situation: Situation) -> Iterator[tuple[Kind, ...]]:
    """The kinds in order; a second set of them only where all of the first do nothing."""
    methodology = situation.desk.book.methodology
    if methodology == _BYBIT:
        yield repayment, reduction_of_risk
        yield (reduction,)
    elif situation.now.mostly_borrowing:
        yield *_FIRST[methodology], repayment, reduction
    else:
        yield *_FIRST[methodology], reduction, repayment


def _cancellation(situation: Situation) -> Proposal:
    count = len(situation.account.orders)
    return Proposal(
        kind=StepKind.CANCEL_ORDERS,
        reason=f"{count} open order{'' if count == 1 else 's'} could add risk, so nothing else comes first",
        cancels=True,
    )


def _tried_groups(situation: Situation, groups: Groups) -> list[list[Trial]]:
    """All candidates of a kind, margined as one shard, in the groups that they came in."""
    trials = iter(_tried(situation, [proposal for group in groups for proposal in group]))
    return [[next(trials) for _ in group] for group in groups]


def _tried(situation: Situation, proposals: list[Proposal]) -> list[Trial]:
    if not proposals:
        return []
    desk, deficit = situation.desk, situation.now.deficit
    done = [desk.executed(situation.account, proposal) for proposal in proposals]
    assessed = desk.assess([executed.account for executed in done])
    return [
        Trial(proposal, executed, after, deficit - after.deficit)
        for proposal, executed, after in zip(proposals, done, assessed, strict=True)
    ]


def _first_accepted(groups: list[list[Trial]], accepts: Accepts) -> Trial | None:
    """The best for its cost of the first group that has an acceptable step; the first of equals."""
    for group in groups:
        good = [trial for trial in group if accepts(trial)]
        if good:
            return max(good, key=lambda trial: trial.per_cost)
    return None


def _step(number: int, situation: Situation, trial: Trial) -> Step:
    proposal, executed = trial.proposal, trial.executed
    return Step(
        number=number,
        kind=proposal.kind,
        unit=proposal.unit,
        component=proposal.component,
        reason=proposal.reason,
        cost_usd=executed.cost_usd,
        trades=executed.trades,
        conversions=executed.conversions,
        cancelled=executed.cancelled,
        before=situation.now.figures(),
        after=trial.after.figures(),
    )
