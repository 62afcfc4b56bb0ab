"""Declarations, moves and retirements as the database keeps them, and what it refuses by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, IntegrityError, transaction

from accounts import standings
from accounts.choices import EligibilityState, LedgerKind, Methodology, TransitionKind
from accounts.eligibility import Standing
from accounts.models import (
    Account,
    Declaration,
    DeclarationAcceptance,
    EligibilityTransition,
    EligibilityWatch,
)
from accounts.services.changes import account_changing
from accounts.services.eligibility import Proof, declaration_accept, declaration_publish, eligibility_move
from accounts.tasks import retire_methodologies
from accounts.verification import ledger_mismatches
from pmplatform.common.errors import Conflict, NotFound, ValidationFailed
from pmplatform.common.models import AuditRow
from tests.accounts.books import ACTOR, NOW, account_document, list_instruments, load, make_tenant

pytestmark = pytest.mark.django_db

RETIREMENT = datetime(2025, 1, 21, 8, tzinfo=UTC)
ACTIVE, SUSPENDED, STANDARD = EligibilityState.ACTIVE, EligibilityState.SUSPENDED, EligibilityState.STANDARD
OKX = Methodology.OKX_2025


@pytest.fixture
def account_id() -> int:
    list_instruments()
    [account_id] = load(make_tenant("acme"), account_document())
    return account_id


def publish(version: str) -> Declaration:
    return declaration_publish(version=version, text="I understand.", actor=ACTOR, now=NOW)


def accept(account_id: int, version: str) -> DeclarationAcceptance:
    return declaration_accept(
        account_id=account_id, version=version, address="192.0.2.1", actor=ACTOR, now=NOW
    )


def move(account_id: int, to: Standing, kind: TransitionKind, proof: Proof) -> EligibilityTransition:
    with account_changing(account_id=account_id, kind=LedgerKind.SETTING, actor=ACTOR, now=NOW) as change:
        return eligibility_move(change=change, to=to, kind=kind, proof=proof)


def test_who_loads_an_account_vouches_for_its_activation(account_id: int) -> None:
    account = Account.objects.get(pk=account_id)
    activation = account.activation
    assert activation is not None
    assert (activation.account_id, activation.kind, activation.by) == (account_id, "loaded", ACTOR.name)
    assert (activation.from_margin, activation.to_margin) == ("standard", "okx-2025")


def test_an_acceptance_says_who_when_and_from_where_and_is_recorded_once(account_id: int) -> None:
    publish("1")
    accepted = accept(account_id, "1")
    assert (accepted.by, accepted.at, accepted.address) == (ACTOR.name, NOW, "192.0.2.1")
    assert accept(account_id, "1") == accepted
    assert AuditRow.objects.filter(action="declaration.accept", object_id=str(account_id)).count() == 1


def test_only_the_current_declaration_can_be_accepted(account_id: int) -> None:
    with pytest.raises(NotFound):
        accept(account_id, "1")
    publish("1")
    accept(account_id, "1")
    publish("2")
    with pytest.raises(Conflict, match="current declaration is 2"):
        accept(account_id, "1")
    assert standings.declaration_acceptance(account_id=account_id) is None


def test_a_declaration_needs_a_text_and_a_version_of_its_own() -> None:
    publish("1")
    with pytest.raises(Conflict):
        publish("1")
    with pytest.raises(ValidationFailed):
        declaration_publish(version="2", text=" ", actor=ACTOR, now=NOW)


def test_a_move_writes_restriction_margin_ledger_and_evidence_together(account_id: int) -> None:
    suspended = Standing(SUSPENDED, OKX, Methodology.STANDARD)
    proof = Proof(snapshot=7, net_equity=Decimal(1), min_net_equity=Decimal(2), evidence={"confirmations": 2})
    transition = move(account_id, suspended, TransitionKind.SUSPENDED, proof)
    account = Account.objects.get(pk=account_id)
    assert (account.eligibility_state, account.margin_methodology) == ("suspended", "standard")
    assert account.reduce_only
    assert (transition.net_equity, transition.evidence) == (Decimal(1), {"confirmations": 2})
    assert list(ledger_mismatches()) == []


def test_a_return_lifts_only_the_restriction_that_eligibility_imposed(account_id: int) -> None:
    Account.objects.filter(pk=account_id).update(reduce_only=True)
    move(account_id, Standing(STANDARD, OKX, Methodology.STANDARD), TransitionKind.LEFT, Proof())
    account = Account.objects.get(pk=account_id)
    assert (account.reduce_only, account.activation) == (True, None)


def test_what_is_pending_is_kept_until_it_is_not(account_id: int) -> None:
    due = NOW + timedelta(minutes=1)
    graced = Standing(SUSPENDED, OKX, OKX, snapshot=7, margin_due_at=due)
    move(account_id, graced, TransitionKind.SUSPENDED, Proof())
    assert standings.account_standing(account_id=account_id) == graced
    ended = replace(graced, margin_methodology=Methodology.STANDARD, margin_due_at=None)
    move(account_id, ended, TransitionKind.GRACE_ENDED, Proof())
    assert not EligibilityWatch.objects.exists()


@pytest.mark.parametrize(
    ("kind", "proof"),
    [
        (TransitionKind.ENROLLED, Proof(snapshot=1, net_equity=Decimal(2), min_net_equity=Decimal(2))),
        (TransitionKind.RESTORED, Proof(net_equity=Decimal(2), min_net_equity=Decimal(2))),
        (TransitionKind.RESTORED, Proof(snapshot=1, net_equity=Decimal(1), min_net_equity=Decimal(2))),
        (TransitionKind.CHANGED, Proof(snapshot=1, net_equity=Decimal(2), min_net_equity=Decimal(2))),
    ],
)
def test_the_database_refuses_an_activation_without_equity_or_declaration(
    account_id: int, kind: TransitionKind, proof: Proof
) -> None:
    move(account_id, Standing(STANDARD, OKX, Methodology.STANDARD), TransitionKind.LEFT, Proof())
    with pytest.raises(IntegrityError, match="transition_activates_on_equity_and_declaration"):
        move(account_id, Standing(ACTIVE, OKX, OKX), kind, proof)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("account_active_has_activation", {"activation": None}),
        ("account_standard_is_not_enrolled", {"methodology": "standard", "margin_methodology": "standard"}),
    ],
)
def test_the_database_refuses_an_active_account_that_nothing_has_activated(
    account_id: int, constraint: str, changes: dict[str, Any]
) -> None:
    Account.objects.filter(pk=account_id).update(hedge_mode=None)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Account.objects.filter(pk=account_id).update(**changes)


@pytest.mark.parametrize("model", [Declaration, DeclarationAcceptance, EligibilityTransition])
def test_what_was_declared_accepted_and_moved_is_append_only(account_id: int, model: Any) -> None:
    publish("1")
    accept(account_id, "1")
    with pytest.raises(DatabaseError, match="append-only"):
        model.objects.all()._raw_delete("default")


def test_a_retired_methodology_hands_its_accounts_over_at_the_instant_and_not_before() -> None:
    list_instruments()
    classic = account_document("A-1", methodology="okx-classic", hedge_mode="spot_usdt")
    other = account_document("A-2", methodology="bybit-uta")
    first, second = load(make_tenant("acme"), classic, other)
    with time_machine.travel(RETIREMENT - timedelta(seconds=1), tick=False):
        retire_methodologies()
    assert Account.objects.get(pk=first).methodology == "okx-classic"
    with time_machine.travel(RETIREMENT, tick=False):
        retire_methodologies()
        retire_methodologies()
    moved, untouched = Account.objects.get(pk=first), Account.objects.get(pk=second)
    assert (moved.methodology, moved.margin_methodology, moved.eligibility_state) == (OKX, OKX, ACTIVE)
    assert (moved.hedge_mode, untouched.methodology) == (None, "bybit-uta")
    transition = EligibilityTransition.objects.get(kind=TransitionKind.RETIRED)
    assert (transition.account_id, transition.at, transition.by) == (first, RETIREMENT, "system:retirement")
    assert "okx-2025" in transition.reasons[0]
    assert list(ledger_mismatches()) == []
