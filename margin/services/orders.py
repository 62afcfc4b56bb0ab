"""Order entry: an order that adds risk needs the equity to carry it."""

from datetime import datetime
from typing import Any, Final

from accounts.choices import EligibilityState, LedgerKind
from accounts.documents import OrderDocument
from accounts.selectors import instrument_terms
from accounts.services.changes import AccountChange, account_changing
from accounts.services.orders import order_place
from margin.assembly import equity, requirement
from margin.choices import RiskMode
from margin.engine.results import ShardMargin
from margin.market_states import snapshot_state
from margin.risk_states import TURN, mode_reasons, risk_modes
from margin.services.margining import account_input, initial_margin_covered, margining
from pmplatform.common.decimals import decimal_text
from pmplatform.common.errors import Refused
from pmplatform.common.locking import turn_share
from pmplatform.common.principals import Actor

#: How much larger, relatively, an initial margin is before it counts as larger: what sums differ by.
_NOISE: Final = 1e-9


def order_enter(
    *, account_id: int, order: OrderDocument, client_id: str = "", actor: Actor, now: datetime
) -> Any:
    """Enter an order, at the newest snapshot and under the methodology in force for the account.

    An order adds risk when the initial margin with it is larger than without it. Only such a one may be
    refused: when adjusted equity would not cover the initial margin (bybit-uta: its rate would exceed 1),
    when the account or, by its risk state, the underlying may only reduce, or when the market is stale or in
    HOLD, by which nobody can say what is covered. Where an underlying is halted every order is refused.
    Returns the order's row.

    Raises
    ------
    ValidationFailed, NotFound, Conflict
    Refused
        With the margin figures before and after.
    """
    with account_changing(account_id=account_id, kind=LedgerKind.ORDER, actor=actor, now=now) as change:
        turn_share(TURN)
        modes = _modes(order.instrument)
        if halts := mode_reasons(modes, [RiskMode.HALT]):
            raise Refused(halts)
        before = account_input(account_id).to_rows()
        placed = order_place(change=change, order=order, client_id=client_id)
        desk = margining(methodology=change.account.margin_methodology)
        shard = desk.margin([before, account_input(account_id).to_rows()])
        if _adds_risk(shard):
            covered = bool(initial_margin_covered(shard, desk.methodology)[1])
            market = snapshot_state(desk.snapshot, now).reasons
            restrictions = [*_restrictions(change), *mode_reasons(modes, RiskMode)]
            reasons = [*restrictions, *market, *([] if covered else [_UNCOVERED])]
            if reasons:
                raise Refused(reasons, _figures(shard))
    return placed


_UNCOVERED: Final = "Adjusted equity would not cover the initial margin with this order."


def _modes(instrument: str) -> dict[str, RiskMode]:
    """The risk states that bear upon an instrument; those of what is not listed do not matter."""
    return risk_modes(terms.underlying for terms in instrument_terms(codes=[instrument]).values())


def _adds_risk(shard: ShardMargin) -> bool:
    without, with_order = shard.accounts.imr
    return bool(with_order > without * (1.0 + _NOISE))


def _restrictions(change: AccountChange) -> list[str]:
    """Why the account may only reduce its risk; empty when it may add to it."""
    account = change.account
    restricted = {
        "The account is reduce-only.": account.reduce_only,
        "The account is suspended from portfolio margin.": (
            account.eligibility_state == EligibilityState.SUSPENDED
        ),
        "The account is in liquidation.": account.in_liquidation,
    }
    return [reason for reason, holds in restricted.items() if holds]


def _figures(shard: ShardMargin) -> dict[str, str]:
    """The numbers behind a refusal, USD as decimal text, rounded against the account."""
    figures = shard.accounts
    rate = figures.imr_rate[1]
    return {
        "imr_before": decimal_text(requirement(figures.imr[0])),
        "imr_after": decimal_text(requirement(figures.imr[1])),
        "adjusted_equity_before": decimal_text(equity(figures.adjusted_equity[0])),
        "adjusted_equity_after": decimal_text(equity(figures.adjusted_equity[1])),
        **({} if rate != rate else {"imr_rate_after": f"{rate:.6f}"}),
    }
