"""Reads for whoever watches accounts at their thresholds: what a run says of them, and by which rules."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.choices import Methodology
from margin import selectors
from margin.choices import MarginStatus
from margin.engine.parameters.bybit import BybitParameters
from margin.engine.parameters.library import Parameters
from margin.models import MarginResult


@dataclass(frozen=True, slots=True)
class WatchedResult:
    """What a run says of an account that is watched. `ratio` is equity over requirement."""

    account: int
    tenant: int
    methodology: str
    status: MarginStatus
    ratio: float | None


def results_to_watch(run: int, watched: Collection[int]) -> list[WatchedResult]:
    """The accounts of a run that are not `normal`, and those of `watched` that it margined, by id."""
    concerned = ~Q(status=MarginStatus.NORMAL) | Q(account__in=watched)
    rows = MarginResult.objects.filter(concerned, run_id=run).order_by("account_id")
    return [
        WatchedResult(account, tenant, methodology, MarginStatus(status), ratio)
        for account, tenant, methodology, status, ratio in rows.values_list(
            "account_id", "account__tenant_id", "account__margin_methodology", "status", "margin_ratio"
        )
    ]


def parameters_in_force_all(at: datetime) -> dict[str, Parameters]:
    """The parameters of every methodology that has some in force at a time."""
    versions = {
        methodology.value: selectors.parameters_in_force(methodology, at) for methodology in Methodology
    }
    return {
        name: selectors.parameters_read(found.pk) for name, found in versions.items() if found is not None
    }


def warning_ratio(parameters: Parameters) -> float:
    """The ratio of equity to requirement at which an account is warned; bybit-uta states its inverse."""
    if isinstance(parameters, BybitParameters):
        return 1.0 / parameters.warning_rate
    return parameters.warning_ratio
