"""Changing risk states: by a person, with a reason, audited."""

from datetime import datetime

from django.db import transaction

from accounts.rules import currency_faults
from margin.choices import RiskMode
from margin.models import RiskState
from margin.risk_states import EVERYWHERE, TURN
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import ValidationFailed
from pmplatform.common.locking import turn_take
from pmplatform.common.principals import Actor


@transaction.atomic
def risk_state_set(*, underlying: str, mode: RiskMode, reason: str, actor: Actor, now: datetime) -> RiskState:
    """Set what may be done in an underlying, or everywhere.

    When this has committed, nothing that it forbids commits any more.

    Raises
    ------
    ValidationFailed
        Without a reason, or for what is no underlying.
    LockTimeout
    """
    if underlying != EVERYWHERE and (faults := list(currency_faults(underlying, "underlying"))):
        raise ValidationFailed(faults)
    if not reason.strip():
        raise ValidationFailed.at("reason", "is empty")
    turn_take(TURN)
    state, _ = RiskState.objects.get_or_create(underlying=underlying, defaults={"changed_by": actor.name})
    before = state.mode
    state.mode, state.reason, state.changed_by, state.changed_at = mode, reason, actor.name, now
    state.save()
    audit_append(
        actor=actor,
        action="risk_state.set",
        object_type="risk_state",
        object_id=underlying or "*",
        tenant_id=None,
        before={"mode": before},
        after={"mode": mode.value},
        reason=reason,
    )
    return state
