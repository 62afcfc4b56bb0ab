"""Writes declarations, acceptances and moves of eligibility; whether to move is decided above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts import standings
from accounts.choices import EligibilityState, TransitionKind
from accounts.eligibility import Standing, kept_hedge_mode
from accounts.models import (
    Account,
    Declaration,
    DeclarationAcceptance,
    EligibilityTransition,
    EligibilityWatch,
)
from accounts.services.accounts import account_settings_set
from accounts.services.changes import AccountChange
from accounts.states import AccountSettings
from pmplatform.common.audit import audit_append
from pmplatform.common.errors import Conflict, NotFound, ValidationFailed
from pmplatform.common.locking import rows_lock
from pmplatform.common.principals import Actor

_VERSION_LENGTH = 32
_ACTIVATIONS = frozenset({TransitionKind.ENROLLED, TransitionKind.RESTORED})


@dataclass(frozen=True, slots=True)
class Proof:
    """What a move rests on; `evidence` is plain JSON beside the columns of the transition."""

    snapshot: int | None = None
    net_equity: Decimal | None = None
    min_net_equity: Decimal | None = None
    acceptance_id: int | None = None
    reasons: Sequence[str] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def declaration_publish(*, version: str, text: str, actor: Actor, now: datetime) -> Declaration:
    """Make a text the current declaration: it is asked for at the next enrolment of every account."""
    for name, value in (("version", version), ("text", text)):
        if not value.strip():
            raise ValidationFailed.at(name, "is empty")
    if len(version) > _VERSION_LENGTH:
        raise ValidationFailed.at("version", f"is longer than {_VERSION_LENGTH} characters")
    if Declaration.objects.filter(version=version).exists():
        raise Conflict(f"There is a declaration {version}.")
    declaration = Declaration.objects.create(
        version=version, text=text, published_by=actor.name, published_at=now
    )
    audit_append(
        actor=actor,
        action="declaration.publish",
        object_type="declaration",
        object_id=version,
        tenant_id=None,
        after={"version": version, "text": text},
    )
    return declaration


@transaction.atomic
def declaration_accept(
    *, account_id: int, version: str, address: str | None, actor: Actor, now: datetime
) -> DeclarationAcceptance:
    """Record who accepts the current declaration for an account, and from where; once, and for good.

    Raises
    ------
    NotFound, Conflict
        Conflict where `version` is not the current text: nobody accepts what is no longer asked for.
    """
    [account] = rows_lock(queryset=Account.objects.all(), ids=[account_id])
    current = standings.declaration_current()
    if current is None:
        raise NotFound("No declaration has been published yet.")
    if current.version != version:
        raise Conflict(f"The current declaration is {current.version}, not {version}.")
    if accepted := standings.declaration_acceptance(account_id=account_id):
        return accepted
    acceptance = DeclarationAcceptance.objects.create(
        account=account,
        declaration=current,
        by=actor.name,
        at=now,
        address=address or None,
        request_id=actor.request_id,
    )
    audit_append(
        actor=actor,
        action="declaration.accept",
        object_type="account",
        object_id=account_id,
        tenant_id=account.tenant_id,
        after={"version": version, "address": address},
    )
    return acceptance


def eligibility_move(
    *,
    change: AccountChange,
    to: Standing,
    kind: TransitionKind,
    proof: Proof,
) -> EligibilityTransition:
    """Move an account to a standing, with its evidence, restrictions and margin methodology.

    Of `reduce_only` this lifts only what an earlier move has imposed. A hedge mode that the chosen
    methodology lacks is given up.
    """
    account = change.account
    before = standings.standing_of(account)
    moved = _transition_append(change, before, to, kind, proof)
    _transition_audit(change, moved)
    if kind in _ACTIVATIONS:
        account.activation = moved
        account.save(update_fields=["activation"])
    imposed_elsewhere = account.reduce_only and not before.is_restricted
    settings = AccountSettings(
        methodology=to.methodology,
        margin_methodology=to.margin_methodology,
        hedge_mode=kept_hedge_mode(account.hedge_mode, to.methodology),
        eligibility_state=to.state,
        reduce_only=to.is_restricted or imposed_elsewhere,
        in_liquidation=account.in_liquidation,
    )
    account_settings_set(change=change, settings=settings)
    if to.state == EligibilityState.STANDARD and account.activation_id is not None:
        account.activation = None
        account.save(update_fields=["activation"])
    watches_set(pending_of={account.pk: to})
    return moved


def watches_set(*, pending_of: Mapping[int, Standing]) -> None:
    """Remember what is pending of these accounts, by id, and forget the others among them."""
    pending = {pk: standing for pk, standing in pending_of.items() if not standing.is_idle}
    EligibilityWatch.objects.filter(account_id__in=pending_of.keys() - pending.keys()).delete()
    EligibilityWatch.objects.bulk_create(
        [
            EligibilityWatch(
                account_id=pk,
                count=standing.count,
                snapshot=standing.snapshot,
                margin_due_at=standing.margin_due_at,
            )
            for pk, standing in sorted(pending.items())
        ],
        update_conflicts=True,
        unique_fields=["account"],
        update_fields=["count", "snapshot", "margin_due_at"],
    )


def standings_lock(*, ids: Sequence[int]) -> dict[int, Standing]:
    """Lock accounts in key order until the transaction ends; their standings by id."""
    accounts = Account.objects.select_related("watch")
    return {account.pk: standings.standing_of(account) for account in rows_lock(queryset=accounts, ids=ids)}


def _transition_append(
    change: AccountChange, before: Standing, to: Standing, kind: TransitionKind, proof: Proof
) -> EligibilityTransition:
    return EligibilityTransition.objects.create(
        account=change.account,
        kind=kind,
        from_state=before.state,
        to_state=to.state,
        methodology=to.methodology,
        from_margin=before.margin_methodology,
        to_margin=to.margin_methodology,
        reasons=list(proof.reasons),
        snapshot=proof.snapshot,
        net_equity=proof.net_equity,
        min_net_equity=proof.min_net_equity,
        acceptance_id=proof.acceptance_id or _carried_acceptance(change.account, to),
        evidence=dict(proof.evidence),
        by=change.actor.name,
        request_id=change.actor.request_id,
        at=change.now,
    )


def _transition_audit(change: AccountChange, transition: EligibilityTransition) -> None:
    """The audit row of a transition, which names it; the evidence stays with the transition."""
    audit_append(
        actor=change.actor,
        action=f"eligibility.{transition.kind}",
        object_type="account",
        object_id=transition.account_id,
        tenant_id=change.account.tenant_id,
        before={"eligibility_state": transition.from_state, "margin_methodology": transition.from_margin},
        after={
            "eligibility_state": transition.to_state,
            "methodology": transition.methodology,
            "margin_methodology": transition.to_margin,
            "transition": transition.pk,
        },
        reason="; ".join(transition.reasons),
    )


def _carried_acceptance(account: Account, to: Standing) -> int | None:
    """An account that stays enrolled goes on under the declaration it enrolled with."""
    if to.state == EligibilityState.STANDARD or account.activation is None:
        return None
    return account.activation.acceptance_id
