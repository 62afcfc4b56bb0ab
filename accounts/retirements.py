"""Methodologies that are offered no longer, as the platform's settings declare them (`PM_RETIREMENTS`)."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings

from accounts.choices import Methodology
from accounts.eligibility import Retirement


def retirements() -> dict[Methodology, Retirement]:
    """Every retirement that is declared, by methodology."""
    declared: Mapping[str, tuple[str, str]] = settings.PM_RETIREMENTS
    return {
        Methodology(name): Retirement(datetime.fromisoformat(at), Methodology(successor))
        for name, (at, successor) in declared.items()
    }


def retirements_past(now: datetime) -> dict[Methodology, Retirement]:
    """The retirements that have come, by methodology."""
    return {name: retirement for name, retirement in retirements().items() if retirement.at <= now}
