"""Reads of cases, steps, orders, controls and the insurance fund."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from django.db.models import Count, F, Q, QuerySet, Sum

from liquidation.choices import CaseState, StepState
from liquidation.execution.port import VenueFill
from liquidation.models import (
    FundBalance,
    FundEntry,
    FundPosition,
    LiquidationCase,
    LiquidationControls,
    LiquidationFill,
    LiquidationOrder,
    LiquidationStep,
    MarginWatch,
    RunReview,
)
from pmplatform.common.decimals import EXACT
from pmplatform.common.errors import NotFound
from pmplatform.common.principals import Principal

_LIVE: Final = ~Q(state=CaseState.CLOSED)


def controls() -> LiquidationControls:
    """The one row of switches; before the first change of one, as they are at first: off."""
    return LiquidationControls.objects.filter(pk=1).first() or LiquidationControls(pk=1)


def cases_visible(*, principal: Principal) -> QuerySet[LiquidationCase]:
    """All cases for the platform, those of its own accounts for a tenant's principals."""
    cases = LiquidationCase.objects.select_related("account__tenant")
    if principal.tenant_id is None:
        return cases
    return cases.filter(account__tenant_id=principal.tenant_id)


def case_get(*, principal: Principal, case_id: int) -> LiquidationCase:
    """Raises NotFound, also for a case of somebody else's account."""
    case = cases_visible(principal=principal).filter(pk=case_id).first()
    if case is None:
        raise NotFound("There is no such case.")
    return case


def cases_by_state() -> dict[CaseState, int]:
    """How many live cases there are in each state."""
    rows = LiquidationCase.objects.filter(_LIVE).order_by().values_list("state").annotate(n=Count("id"))
    counts = dict(rows)
    return {state: counts.get(state, 0) for state in CaseState if state is not CaseState.CLOSED}


def cases_count() -> dict[str, int]:
    """Live cases by state, zeros included."""
    counts = Counter(LiquidationCase.objects.filter(_LIVE).values_list("state", flat=True))
    return {state.value: counts[state.value] for state in CaseState if state != CaseState.CLOSED}


def case_live(account_id: int) -> LiquidationCase | None:
    """The live case of an account."""
    return LiquidationCase.objects.filter(_LIVE, account_id=account_id).first()


def accounts_with_live_case(account_ids: Iterable[int]) -> set[int]:
    """Those of the accounts that have a live case."""
    live = LiquidationCase.objects.filter(_LIVE, account_id__in=list(account_ids))
    return set(live.values_list("account_id", flat=True))


def case_steps(case_id: int) -> QuerySet[LiquidationStep]:
    """The steps of a case in their order."""
    return LiquidationStep.objects.filter(case_id=case_id).order_by("number")


def steps_done_after(step_id: int) -> QuerySet[LiquidationStep]:
    """Steps of any case that were written later than one and are done, with what was filled, in order."""
    done = LiquidationStep.objects.filter(pk__gt=step_id, state=StepState.DONE)
    return done.prefetch_related("orders__instrument", "orders__fills__fill").order_by("pk")


def orders_out() -> QuerySet[LiquidationOrder]:
    """Orders whose step is done when all of them have ended; not those of attempts that were refused."""
    return LiquidationOrder.objects.filter(step__state=StepState.PLANNED, refusals=F("step__case__refusals"))


def step_open(case_id: int) -> LiquidationStep | None:
    """The step of a case that has written its orders, and is not done."""
    return LiquidationStep.objects.filter(case_id=case_id, pk__in=orders_out().values("step_id")).first()


def step_orders(step: LiquidationStep) -> list[LiquidationOrder]:
    """The orders by which a step is being taken, by leg, whether they have ended or not."""
    return list(orders_out().filter(step=step).select_related("instrument").order_by("leg"))


def order_by_key(key: str) -> LiquidationOrder | None:
    """The order that was sent under a key."""
    orders = LiquidationOrder.objects.select_related("instrument", "step__case__account")
    return orders.filter(key=key).first()


def fills_booked(order: LiquidationOrder) -> dict[str, VenueFill]:
    """What is booked of an order, by the venue's names."""
    rows = LiquidationFill.objects.filter(order=order).select_related("fill").order_by("pk")
    return {
        row.venue_id: VenueFill(
            row.venue_id, row.fill.quantity, row.fill.price, row.fill.fee, row.fill.fee_currency
        )
        for row in rows
    }


def orders_filled(orders: Sequence[LiquidationOrder]) -> dict[int, Decimal]:
    """How much of each order is booked as traded, by its id; one of which nothing is has no entry."""
    sums = LiquidationFill.objects.filter(order__in=orders).order_by().values_list("order_id")
    return dict(sums.annotate(sum=Sum("fill__quantity")))


def case_orders(case_id: int) -> QuerySet[LiquidationOrder]:
    """The orders of a case with their fills, oldest first."""
    orders = LiquidationOrder.objects.filter(step__case_id=case_id)
    return orders.select_related("instrument", "step").prefetch_related("fills__fill").order_by("id")


def watches(account_ids: Iterable[int] | None = None) -> dict[int, MarginWatch]:
    """What is remembered of accounts, of all if none are given, by account id."""
    rows = MarginWatch.objects.all()
    if account_ids is not None:
        rows = rows.filter(account_id__in=list(account_ids))
    return {row.account_id: row for row in rows}


def run_is_reviewed(run_id: int, snapshot: int) -> bool:
    """Whether a run, or one over a later snapshot, has been reviewed."""
    return RunReview.objects.filter(Q(run_id=run_id) | Q(snapshot__gt=snapshot)).exists()


def fund_balances() -> QuerySet[FundBalance]:
    """The fund's cash by currency."""
    return FundBalance.objects.order_by("currency")


def fund_positions() -> QuerySet[FundPosition]:
    """What the fund holds, by instrument."""
    return FundPosition.objects.select_related("instrument").order_by("instrument__code")


def fund_entries() -> QuerySet[FundEntry]:
    """What has changed the fund."""
    return FundEntry.objects.select_related("case")


def fund_taken(case_id: int) -> Mapping[str, Decimal]:
    """What the fund has taken from a case's account, refunds taken off, by subject."""
    sums: dict[str, Decimal] = {}
    for subject, amount in FundEntry.objects.filter(case_id=case_id).values_list("subject", "amount"):
        sums[subject] = EXACT.add(sums.get(subject, Decimal(0)), amount)
    return sums
