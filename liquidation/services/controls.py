"""The controls that every step obeys: switches, risk states, freshness of the market, the engine in use."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from liquidation import selectors
from liquidation.errors import StepBlocked
from liquidation.models import LiquidationControls
from margin.choices import RiskMode
from margin.engine.report import ENGINE_VERSION
from margin.market_states import MarketState, market_state
from margin.risk_states import TURN, mode_reasons, risk_modes
from margin.selectors import run_latest_completed
from margin.services.market import MARKET_TURN
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.locking import turn_share, turn_take
from pmplatform.common.principals import Actor

#: Modes in which nothing is liquidated.
_FORBIDDING = (RiskMode.HOLD, RiskMode.HALT)


@transaction.atomic
def controls_set(
    *,
    actor: Actor,
    reason: str,
    now: datetime,
    kill_switch: bool | None = None,
    approve_mode: bool | None = None,
) -> LiquidationControls:
    """Turn the switches that are given; the others stay.

    When this has committed, no step commits any more that the switches forbid.

    Raises
    ------
    ValidationFailed
        Without a reason.
    LockTimeout
    """
    if not reason.strip():
        raise ValidationFailed.at("reason", "is empty")
    turn_take(TURN)
    controls = selectors.controls()
    before = _switches(controls)
    if kill_switch is not None:
        controls.kill_switch = kill_switch
    if approve_mode is not None:
        controls.approve_mode = approve_mode
    controls.reason, controls.changed_by, controls.changed_at = reason, actor.name, now
    controls.save()
    audit_append(
        actor=actor,
        action="liquidation_controls.set",
        object_type="liquidation_controls",
        object_id=controls.pk,
        tenant_id=None,
        before=before,
        after=_switches(controls),
        reason=reason,
    )
    return controls


def _switches(controls: LiquidationControls) -> dict[str, bool]:
    return {"kill_switch": controls.kill_switch, "approve_mode": controls.approve_mode}


def controls_share(*, now: datetime) -> tuple[LiquidationControls, MarketState]:
    """Keep controls and market as they are until the transaction ends, if they let a step pass at all.

    Raises
    ------
    StepBlocked
        With every reason: the kill switch, the platform's risk state, a market that is stale or in HOLD, a
        book that another engine than this worker's has margined last.
    LockTimeout
    """
    turn_share(TURN)
    turn_share(MARKET_TURN)
    controls, market = selectors.controls(), market_state(now)
    reasons = [*_switch_reasons(controls), *_mode_reasons([]), *_engine_reasons()]
    if market is None:
        raise StepBlocked([*reasons, "There is no market snapshot yet."])
    if reasons := [*reasons, *market.reasons]:
        raise StepBlocked(reasons)
    return controls, market


def modes_check(underlyings: Sequence[str]) -> None:
    """Refuse to trade underlyings that are in `hold` or `halt`; StepBlocked with every one of them."""
    if reasons := _mode_reasons(underlyings):
        raise StepBlocked(reasons)


def _switch_reasons(controls: LiquidationControls) -> list[str]:
    return ["The kill switch is on."] if controls.kill_switch else []


def _engine_reasons() -> list[str]:
    """While versions are mixed, the one that has judged the accounts is the one that acts."""
    run = run_latest_completed()
    engine = "no" if run is None else run.engine
    if engine == ENGINE_VERSION:
        return []
    return [f"The newest run is by engine {engine}, and this worker's is {ENGINE_VERSION}."]


def _mode_reasons(underlyings: Sequence[str]) -> list[str]:
    return mode_reasons(risk_modes(underlyings), _FORBIDDING)
