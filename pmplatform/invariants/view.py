"""The view `invariant_violations`: what must always hold, as queries that must find nothing.

Each file of `sql` is one invariant: a query of (subject, detail) over the tables of every app. The view is
no part of a migration, since it would forbid later ones to change a column that it reads: it is dropped
before migrations run and made again after the last of them.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

_DIRECTORY: Final = Path(__file__).parent / "sql"
_READ: Final = "SELECT invariant, subject, detail FROM invariant_violations"
_DROP: Final = "DROP VIEW IF EXISTS invariant_violations"
_CREATE: Final = sql.SQL("CREATE OR REPLACE VIEW invariant_violations AS {}")
_PART: Final = "SELECT {}::text AS invariant, subject::text, detail::text FROM (\n{}) AS found"


@dataclass(frozen=True, slots=True)
class Violation:
    """Where an invariant (`I1` ... `I14`) does not hold, and what is there instead."""

    invariant: str
    subject: str
    detail: str


def invariants() -> dict[str, str]:
    """The query of each invariant, in their order; the file `i01_effects_once.sql` is I1."""
    files = sorted(_DIRECTORY.glob("i*.sql"))
    return {f"I{int(file.name[1:3])}": file.read_text(encoding="utf-8") for file in files}


def violations(*, using: str = "default", timeout_seconds: int = 0) -> list[Violation]:
    """All that is not as it must be, as one moment shows it; OperationalError when it takes too long."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if timeout_seconds:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{timeout_seconds}s"])
        cursor.execute(_READ)
        return [Violation(*row) for row in cursor.fetchall()]


def counted(found: list[Violation]) -> dict[str, int]:
    """How many violations there are of each invariant, zeros included."""
    counts = Counter(violation.invariant for violation in found)
    return {name: counts[name] for name in invariants()}


def view_drop(*, using: str, plan: Any = (), **_: Any) -> None:
    """Before migrations: nothing may stand in their way."""
    if plan:
        with connections[using].cursor() as cursor:
            cursor.execute(_DROP)


def view_create(*, using: str, plan: Any = None, **_: Any) -> None:
    """After migrations, if none is left to be applied. (A flush of the tables sends no plan.)"""
    if plan is None:
        return
    executor = MigrationExecutor(connections[using])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return
    parts = [sql.SQL(_PART).format(name, sql.SQL(query)) for name, query in invariants().items()]
    with connections[using].cursor() as cursor:
        cursor.execute(_CREATE.format(sql.SQL("\nUNION ALL\n").join(parts)))
