"""Accounts for the demo world: believable portfolios of power-law size on a given market."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pmplatform.demo.desk import Desk, Draft
from pmplatform.demo.portfolios import KINDS, AccountKind

_SMALLEST_USD: Final = 20_000.0
_LARGEST_USD: Final = 20_000_000.0
_TAIL_EXPONENT: Final = 0.9
#: Highly levered accounts are seldom large, and large ones meet steeper position tiers.
_LEVERED_CAP_USD: Final = 150_000.0
_LEVERED: Final = (AccountKind.OVER_LEVERED, AccountKind.DISTRESSED)


@dataclass(frozen=True)
class DemoAccount:
    """An account and the kind it was made as.

    `document` is the `account` object of a book document plus `methodology`, which the book document
    carries at its top; `book_account` is the object without it.
    """

    kind: AccountKind
    document: dict[str, Any]

    @property
    def book_account(self) -> dict[str, Any]:
        return {key: value for key, value in self.document.items() if key != "methodology"}


def demo_accounts(market_document: Mapping[str, Any], count: int, seed: int) -> list[DemoAccount]:
    """`count` accounts named `DEMO-0001` onwards, on the `market` object of a book document.

    The same arguments give the same accounts. Each kind's number follows its share to the nearest account.
    """
    rng = np.random.default_rng(seed)
    desk = Desk(market_document)
    kinds = _kinds(count, rng)
    return [_account(number, kind, desk, rng) for number, kind in enumerate(kinds, start=1)]


def _account(number: int, kind: AccountKind, desk: Desk, rng: np.random.Generator) -> DemoAccount:
    draft = Draft(desk, rng)
    build, _ = KINDS[kind]
    usd = _capital(rng)
    build(draft, min(usd, _LEVERED_CAP_USD) if kind in _LEVERED else usd)
    return DemoAccount(kind, draft.document(f"DEMO-{number:04d}"))


def _kinds(count: int, rng: np.random.Generator) -> list[AccountKind]:
    """Kinds in their shares, in random order."""
    names = list(KINDS)
    bounds = np.cumsum([share for _, share in KINDS.values()])
    places = np.searchsorted(bounds / bounds[-1], (np.arange(count) + 0.5) / count)
    return [names[int(place)] for place in rng.permutation(places)]


def _capital(rng: np.random.Generator) -> float:
    """A Pareto draw in USD between the smallest and the largest capital."""
    return min(_SMALLEST_USD * (1.0 + float(rng.pareto(_TAIL_EXPONENT))), _LARGEST_USD)
