"""The newest check of the invariants, kept for the metrics: a scrape reads it and runs no query."""

from typing import Final

from django.core.cache import cache

from pmplatform.invariants.view import counted, violations

_KEY: Final = "invariants"
_KEPT_SECONDS: Final = 900
_TIMEOUT_SECONDS: Final = 45


def invariants_check() -> dict[str, int]:
    """Check every invariant now; returns how often each is violated.

    Raises
    ------
    OperationalError
        When the database takes too long; nothing is kept then.
    """
    counts = counted(violations(timeout_seconds=_TIMEOUT_SECONDS))
    cache.set(_KEY, counts, _KEPT_SECONDS)
    return counts


def invariants_checked() -> dict[str, int] | None:
    """How often each invariant was violated at the newest check; None when none was made lately."""
    counts: dict[str, int] | None = cache.get(_KEY)
    return counts
