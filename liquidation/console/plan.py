"""A dry run of an account's liquidation: what would be done, step by step, at the newest snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.safestring import SafeString

from liquidation.console.steps import StepView, step_view
from liquidation.services.dry_runs import account_plan
from margin.console.report import status_mark
from pmplatform.common.console import money
from pmplatform.common.errors import Refused

_OUTCOMES: Final = {
    "safe": "The account would be safe.",
    "takeover": "Nothing that is left to do makes it safe: the insurance fund would take the account over.",
    "unfinished": "The plan ends at its longest; it would be planned anew from there.",
    "nothing_to_do": "Nothing would be done.",
}
_TRIGGERS: Final = {
    "none": "The account is not at its threshold, so nothing would be done.",
    "repay": "It is past its repayment threshold: borrowing would be paid back.",
    "liquidation": "It is past its liquidation threshold.",
}


@dataclass(frozen=True, slots=True)
class PlanView:
    """The plan in words and steps; ``fault`` says why there is none."""

    trigger: str
    status: SafeString
    steps: tuple[StepView, ...]
    outcome: str
    shortfall: SafeString
    fault: str = ""


def plan_view(*, account_id: int) -> PlanView:
    """The plan of an account as it stands; nothing is written."""
    try:
        return _view(account_plan(account_id=account_id))
    except Refused as refusal:
        return PlanView("", SafeString(), (), "", SafeString(), " ".join(refusal.reasons))


def _view(plan: Mapping[str, Any]) -> PlanView:
    return PlanView(
        trigger=_TRIGGERS.get(plan["trigger"], plan["trigger"]),
        status=status_mark(plan["initial"]["status"]),
        steps=tuple(map(step_view, plan["steps"])),
        outcome=_OUTCOMES.get(plan["outcome"], plan["outcome"].replace("_", " ")),
        shortfall=money(plan["shortfall_usd"]) if plan["shortfall_usd"] else SafeString(),
    )
