"""Reads of the risk states: what may be done in an underlying now."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.db.models import QuerySet

from margin.choices import RiskMode
from margin.models import RiskState

#: The underlying that stands for the whole platform.
EVERYWHERE: Final = ""
#: Whoever acts by the risk states shares this turn, whoever changes one takes it: so no act commits later
#: than the change that forbids it.
TURN: Final = "risk-controls"


def risk_states() -> QuerySet[RiskState]:
    """Every underlying that has a state of its own, and the platform's."""
    return RiskState.objects.order_by("underlying")


def risk_modes(underlyings: Iterable[str]) -> dict[str, RiskMode]:
    """The modes of the platform and of these underlyings that are not `enabled`, by underlying."""
    rows = RiskState.objects.filter(underlying__in={EVERYWHERE, *underlyings}).exclude(mode=RiskMode.ENABLED)
    return {row.underlying: RiskMode(row.mode) for row in rows.order_by("underlying")}


def mode_reasons(modes: Mapping[str, RiskMode], forbidding: Collection[RiskMode]) -> list[str]:
    """In words, which of the modes forbid something."""
    return [
        f"{'The platform' if name == EVERYWHERE else name} is in {mode.label.lower()}."
        for name, mode in modes.items()
        if mode in forbidding
    ]
