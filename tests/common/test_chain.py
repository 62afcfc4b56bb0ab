"""The audit chain: what is sealed, and what a verifier says to whoever meddled with it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import LedgerEntry
from pmplatform.common.audit import audit_append
from pmplatform.common.chain import chain_faults, chain_head, chain_seal
from pmplatform.common.models import AuditPending, AuditRow, AuditSeal
from pmplatform.common.principals import Actor
from tests.margin.world import demo_world

pytestmark = pytest.mark.django_db

ACTOR = Actor(name="user:risk", request_id="r-1")


def note(action: str) -> int:
    row = audit_append(
        actor=ACTOR, action=action, object_type="thing", object_id=1, tenant_id=None, after={"is": action}
    )
    return int(row.pk)


def seal() -> int:
    return chain_seal(now=timezone.now())


@contextmanager
def triggers_off(table: str) -> Iterator[None]:
    """As somebody with the rights of the tables' owner would."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")


@pytest.fixture
def rows() -> list[int]:
    """Four audit rows under two seals."""
    first = [note("one"), note("two")]
    seal()
    second = [note("three"), note("four")]
    seal()
    return first + second


def test_every_row_is_sealed_once_and_the_chain_verifies(rows: list[int]) -> None:
    assert [list(found.row_ids) for found in AuditSeal.objects.all()] == [rows[:2], rows[2:]]
    assert not AuditPending.objects.exists()
    assert seal() == 0
    assert list(chain_faults()) == []
    assert chain_head().rows == 4


def test_what_a_transaction_takes_back_is_not_sealed() -> None:
    with transaction.atomic():
        note("never")
        transaction.set_rollback(True)
    assert seal() == 0


def test_ledger_rows_are_their_changes_audit_rows_and_sealed_with_them() -> None:
    demo_world(3)
    while seal():
        pass
    sealed = [pk for found in AuditSeal.objects.filter(source="accounts_ledgerentry") for pk in found.row_ids]
    assert sorted(sealed) == sorted(LedgerEntry.objects.values_list("pk", flat=True))
    assert list(chain_faults()) == []


def test_a_changed_row_is_found(rows: list[int]) -> None:
    with triggers_off("common_auditrow"):
        AuditRow.objects.filter(pk=rows[2]).update(actor="user:nobody")
    assert list(chain_faults()) == ["rows of common_auditrow under seal 2 have been changed"]


def test_a_removed_row_is_found(rows: list[int]) -> None:
    with triggers_off("common_auditrow"):
        AuditRow.objects.filter(pk=rows[0]).delete()
    assert list(chain_faults()) == ["1 rows of common_auditrow under seal 1 are gone"]


def test_a_row_slipped_in_is_found(rows: list[int]) -> None:
    with triggers_off("common_auditrow"):
        slipped = note("slipped in")
    assert list(chain_faults()) == [f"row {slipped} of common_auditrow has been slipped in"]


def test_a_rewritten_seal_breaks_the_next_one_and_a_cut_chain_lacks_the_noted_head(rows: list[int]) -> None:
    noted = str(chain_head())
    assert list(chain_faults(noted=noted)) == []
    with triggers_off("common_auditseal"):
        AuditSeal.objects.filter(sequence=1).update(rows_sha256="0" * 64)
    assert "seal 1 has been changed" in list(chain_faults())
    with triggers_off("common_auditseal"):
        AuditSeal.objects.filter(sequence=2).delete()
    assert any("noted seal 2 is not in the chain" in fault for fault in chain_faults(noted=noted))


def test_a_trigger_that_is_off_is_reported(rows: list[int]) -> None:
    with triggers_off("accounts_ledgerentry"):
        assert list(chain_faults()) == ["the trigger that notes new rows of accounts_ledgerentry is off"]


def test_seals_are_append_only(rows: list[int]) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditSeal.objects.update(source="other")


@pytest.mark.django_db(transaction=True)
def test_verify_audit_seals_what_waits_and_fails_on_a_tampered_row(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = note("one")
    call_command("verify_audit")
    printed = capsys.readouterr().out
    assert printed.startswith("the audit chain verifies: 1 rows; head 1:")
    call_command("verify_audit", noted=printed.split()[-1])
    with triggers_off("common_auditrow"):
        AuditRow.objects.filter(pk=row).update(reason="another")
    with pytest.raises(CommandError, match="1 faults"):
        call_command("verify_audit")
