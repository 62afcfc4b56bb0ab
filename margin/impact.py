"""PURE: what another parameter version would do to the accounts of a book, from their margin under both."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from margin.choices import MarginStatus

#: Ends of the histogram's bins of relative change in MMR; the outermost bins are open.
HISTOGRAM_ENDS: Final = (-0.5, -0.25, -0.1, -0.05, -0.01, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
#: Accounts that are shown with their components.
LARGEST: Final = 20
#: Accounts of each list that are named; the count is of all.
NAMED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Standing:
    """An account under one version: USD, and whether orders that raise its risk are refused."""

    code: str
    status: MarginStatus
    mmr: float
    imr: float
    refused: bool


def _is_normal(standing: Standing) -> bool:
    return standing.status == MarginStatus.NORMAL


def _is_warned(standing: Standing) -> bool:
    return standing.status in (MarginStatus.WARNING, MarginStatus.REPAY)


def _is_liquidatable(standing: Standing) -> bool:
    return standing.status == MarginStatus.LIQUIDATION


def _is_refused(standing: Standing) -> bool:
    return standing.refused


Standings = Mapping[int, Standing]
#: (risk unit, component) -> USD.
Components = Mapping[tuple[str, str], float]


def impact_report(before: Standings, after: Standings) -> dict[str, Any]:
    """Totals, histogram, and the accounts that would be newly liquidatable, warned or refused.

    Only accounts that could be margined under both versions are compared. Warned are those that pass from
    normal to the warning, short of liquidation.
    """
    both = [account for account in before if account in after]
    return {
        "accounts": len(both),
        "mmr": _moved(sum(before[a].mmr for a in both), sum(after[a].mmr for a in both)),
        "imr": _moved(sum(before[a].imr for a in both), sum(after[a].imr for a in both)),
        "histogram": _histogram([(before[a].mmr, after[a].mmr) for a in both]),
        "newly_liquidatable": _newly(before, after, _is_liquidatable, _is_liquidatable),
        "newly_warned": _newly(before, after, _is_warned, lambda standing: not _is_normal(standing)),
        "newly_refused": _newly(before, after, _is_refused, _is_refused),
    }


def largest_changes(before: Standings, after: Standings) -> tuple[int, ...]:
    """Ids of the accounts whose MMR changes most, the largest change first."""
    changes = {
        account: abs(after[account].mmr - before[account].mmr) for account in before if account in after
    }
    ranked = sorted(changes, key=lambda account: (-changes[account], account))
    return tuple(account for account in ranked[:LARGEST] if changes[account])


def account_change(
    account: int, before: Standing, after: Standing, components: tuple[Components, Components]
) -> dict[str, Any]:
    """One account's change, by risk unit and component."""
    old, new = components
    return {
        "account": account,
        "code": after.code,
        "status": [str(before.status), str(after.status)],
        "mmr": _moved(before.mmr, after.mmr),
        "imr": _moved(before.imr, after.imr),
        "components": [
            {
                "unit": unit,
                "component": name,
                **_moved(old.get((unit, name), 0.0), new.get((unit, name), 0.0)),
            }
            for unit, name in sorted({*old, *new})
            if old.get((unit, name)) or new.get((unit, name))
        ],
    }


def _moved(before: float, after: float) -> dict[str, float | None]:
    change = after - before
    return {"before": before, "after": after, "change": change, "ratio": change / before if before else None}


def _histogram(pairs: list[tuple[float, float]]) -> list[dict[str, Any]]:
    """Accounts by relative change of MMR; one that had none before and has some now rises without bound."""
    counts = [0] * (len(HISTOGRAM_ENDS) + 1)
    for before, after in pairs:
        rise = float("inf") if after else 0.0
        counts[bisect_right(HISTOGRAM_ENDS, (after - before) / before if before else rise)] += 1
    ends = pairwise((None, *HISTOGRAM_ENDS, None))
    return [
        {"from": low, "to": high, "accounts": count} for (low, high), count in zip(ends, counts, strict=True)
    ]


def _newly(
    before: Standings, after: Standings, becomes: Callable[[Standing], bool], was: Callable[[Standing], bool]
) -> dict[str, Any]:
    """Accounts of which `becomes` holds under the second version, and `was` did not under the first."""
    accounts = sorted(
        account
        for account, standing in after.items()
        if account in before and becomes(standing) and not was(before[account])
    )
    named = [{"account": account, "code": after[account].code} for account in accounts[:NAMED]]
    return {"count": len(accounts), "accounts": named}
