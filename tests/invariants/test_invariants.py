"""Each invariant's violation is named by the view, once it is planted where no guard stands in the way."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from pmplatform.invariants.checks import invariants_check, invariants_checked
from pmplatform.invariants.view import invariants, violations
from tests.invariants.stage import guards_drop, rows_copy, spoil, world_stage

pytestmark = pytest.mark.django_db

_SECTION = re.compile(r"^-- (I[0-9]+): (.+)\n", re.MULTILINE)


def _planted() -> dict[str, tuple[str, str]]:
    """What `planted.sql` has: by deed, the invariant and the statements."""
    text = Path(__file__).with_name("planted.sql").read_text(encoding="utf-8")
    _, *parts = _SECTION.split(text)
    return dict(zip(parts[1::3], zip(parts[::3], parts[2::3], strict=True), strict=True))


PLANTED = _planted()
#: By deed: the invariant, the table whose rows are written again, and what differs then, as SQL.
TWICE: dict[str, tuple[str, str, dict[str, str]]] = {
    "a step taken twice": ("I1", "liquidation_liquidationstep", {}),
    "a step audited twice": ("I1", "common_auditrow", {}),
    "an order written twice": ("I1", "liquidation_liquidationorder", {}),
    "a fill booked twice": ("I1", "accounts_fill", {}),
    "a result written twice": ("I1", "margin_marginresult", {}),
    "two live cases of an account": ("I4", "liquidation_liquidationcase", {}),
    "a step before the last was done": (
        "I4",
        "liquidation_liquidationstep",
        {"number": "2", "at": "at - interval '1 second'"},
    ),
    "two reports of the same inputs": (
        "I5",
        "margin_marginreport",
        {"content": "content || ' '::bytea", "run_id": "run_id + 1"},
    ),
    "a snapshot older than the last": (
        "I6",
        "margin_marketsnapshot",
        {"sequence": "sequence + 1", "as_of": "as_of - interval '1 day'"},
    ),
    "two versions from one instant": ("I6", "margin_parameterversion", {"version": "version || ' again'"}),
    "two hourly runs of a period": ("I9", "margin_marginrun", {}),
}


@pytest.fixture(autouse=True)
def consistent_world() -> None:
    world_stage()
    assert violations() == []


def named() -> set[str]:
    return {violation.invariant for violation in violations()}


@pytest.mark.parametrize(("invariant", "statement"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_named(invariant: str, statement: str) -> None:
    guards_drop([] if statement.startswith("ALTER") else re.findall(r"[a-z]+_[a-z]+", statement))
    spoil(statement)
    assert invariant in named()


@pytest.mark.parametrize(("invariant", "table", "changes"), TWICE.values(), ids=TWICE)
def test_what_is_written_twice_is_named(invariant: str, table: str, changes: dict[str, str]) -> None:
    guards_drop([table])
    rows_copy(table, changes)
    assert invariant in named()


def test_every_invariant_has_a_query_and_a_planted_violation() -> None:
    assert list(invariants()) == [f"I{number}" for number in range(1, 15)]
    assert {invariant for invariant, _ in PLANTED.values()} == set(invariants())


def test_check_invariants_prints_what_is_there_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("check_invariants")
    assert capsys.readouterr().out == "no invariant is violated\n"
    spoil("UPDATE accounts_balance SET amount = amount + 1")
    with pytest.raises(CommandError, match="1 violations"):
        call_command("check_invariants")
    assert "I10" in capsys.readouterr().out


def test_the_metrics_read_the_newest_check() -> None:
    spoil("UPDATE accounts_balance SET amount = amount + 1")
    assert invariants_check()["I10"] == 1
    assert invariants_checked() == {name: int(name == "I10") for name in invariants()}


def test_migrations_find_no_view_in_their_way_and_make_it_again() -> None:
    call_command("migrate", verbosity=0)
    assert violations() == []
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW invariant_violations")
    call_command("migrate", verbosity=0)
    assert violations() == []


def test_a_transition_from_before_it_was_audited_gets_its_row_by_the_migration() -> None:
    guards_drop(["common_auditrow"])
    spoil("DELETE FROM common_auditrow WHERE action LIKE 'eligibility.%'")
    assert named() == {"I11"}
    migration = import_module("accounts.migrations.0007_transitions_audited").Migration
    spoil(*[operation.sql for operation in migration.operations])
    assert violations() == []
