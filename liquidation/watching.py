"""PURE: what a run's result means for an account: a warning, a confirmation, an end of either."""

from dataclasses import dataclass, replace
from typing import Final

from margin.choices import MarginStatus

#: Statuses at or past a threshold.
PAST: Final = (MarginStatus.REPAY, MarginStatus.LIQUIDATION)


@dataclass(frozen=True, slots=True)
class WatchRules:
    """At how many snapshots a threshold is confirmed; beyond which ratio a warning is armed again."""

    confirmations: int
    rearm_ratio: float


@dataclass(frozen=True, slots=True)
class Watch:
    """What is remembered of an account: consecutive confirmations, the last snapshot, a warning given."""

    count: int = 0
    snapshot: int = 0
    warned: bool = False

    @property
    def is_idle(self) -> bool:
        return self.count == 0 and not self.warned


@dataclass(frozen=True, slots=True)
class Sight:
    """An account at a fresh snapshot."""

    snapshot: int
    status: MarginStatus
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The watch from here on; whether to warn now, and whether the threshold is confirmed."""

    watch: Watch
    warns: bool
    is_confirmed: bool


def observe(watch: Watch, sight: Sight, rules: WatchRules) -> Verdict:
    """What to remember and to do.

    A snapshot that was counted already says the same again, without a second warning; an older one nothing.
    """
    if sight.snapshot < watch.snapshot:
        return Verdict(watch, warns=False, is_confirmed=False)
    if sight.snapshot == watch.snapshot:
        return Verdict(watch, warns=False, is_confirmed=watch.count >= rules.confirmations)
    count = watch.count + 1 if sight.status in PAST else 0
    warns = not watch.warned and sight.status is not MarginStatus.NORMAL
    warned = warns or (watch.warned and not _is_armed_again(sight, rules))
    after = replace(watch, count=count, snapshot=sight.snapshot, warned=warned)
    return Verdict(after, warns=warns, is_confirmed=count >= rules.confirmations)


def _is_armed_again(sight: Sight, rules: WatchRules) -> bool:
    """An account without a requirement has no ratio, and is as safe as can be."""
    if sight.status is not MarginStatus.NORMAL:
        return False
    return sight.ratio is None or sight.ratio > rules.rearm_ratio
