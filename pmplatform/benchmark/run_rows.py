"""Rows of whole runs, from database to database, through workers of their own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from django.db import connection, transaction

from accounts import selectors as accounts
from accounts.columns import book_columns
from margin.choices import PartKind, RunReason, RunState
from margin.models import MarginRun, MarginRunPart
from margin.services.margining import margining
from pmplatform.benchmark.apart_rows import apart_measures
from pmplatform.benchmark.crash_rows import crash_measure
from pmplatform.benchmark.measures import Measure, Quantity, at_most, times_faster
from pmplatform.benchmark.ordinary import ordinary_run
from pmplatform.benchmark.running import Timed, kept_forget, run_timed
from pmplatform.benchmark.stored import book_ensure, snapshot_next
from pmplatform.benchmark.system import workers
from pmplatform.benchmark.timing import seconds_of

#: The ordinary implementation is timed on so many accounts, and scaled.
_ORDINARY_ACCOUNTS: Final = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """A cold run, a warm one after it, and in seconds the best load and write of the same book alone."""

    cold: Timed
    warm: Timed
    load: float
    write: float


def run_measures(count: int, pairs: int) -> Iterator[Measure]:
    """Cold and warm runs over the benchmark's book."""
    book_ensure(count)
    with workers() as name:
        turns = [_turn() for _ in range(pairs)]
        beside = [run_timed() for _ in range(pairs)]
        crash = crash_measure(count, name)
    cold = median(turn.cold.seconds for turn in turns)
    load, write = median(turn.load for turn in turns), median(turn.write for turn in turns)
    yield at_most(
        f"cold run of {count:,} accounts, database to database, 2 workers",
        Quantity(cold, "s"),
        Quantity(load + write, "s", f"best load {load:.2f} s and best write {write:.2f} s alone"),
        1.6,
        f"{count / cold:,.0f} accounts/s; {_start(turn.cold for turn in turns):.2f} s until the book is "
        "read and cut as a whole, then figures, input hashes, reports in danger and COPY with triggers",
    )
    sample = min(_ORDINARY_ACCOUNTS, count)
    ordinary = _ordinary(sample) * count / sample
    yield times_faster(
        "the same against an ordinary Django implementation",
        Quantity(cold, "s"),
        Quantity(ordinary, "s", "ORM, an account at a time"),
        20.0,
        f"timed on {sample:,} accounts, scaled to all",
    )
    yield at_most(
        f"warm run of {count:,} accounts: shards kept, another snapshot",
        Quantity(median(turn.warm.seconds for turn in turns), "s"),
        Quantity(cold, "s", "cold"),
        1.0,
        f"until the parts are written {_start(turn.warm for turn in turns):.2f} s, "
        f"cold {_start(turn.cold for turn in turns):.2f} s",
    )
    yield from apart_measures(count, beside)
    yield crash


def _start(runs: Iterable[Timed]) -> float:
    return median(timed.start for timed in runs)


def _turn() -> Turn:
    kept_forget()
    snapshot_next()
    cold = run_timed()
    snapshot_next()
    warm = run_timed()
    ids = [pk for group in accounts.account_ids_by_methodology().values() for pk in group]
    codes = accounts.instrument_codes()
    load = seconds_of(lambda: book_columns(ids=ids, codes=codes))
    return Turn(cold, warm, load, _best_write(cold.run.pk))


def _best_write(run: int) -> float:
    """Seconds of the COPY of a run's very rows, prepared as bytes, into tables of the same kind."""
    seconds = 0.0
    for table in ("margin_marginresult", "margin_unitresult"):
        content = _copied_out(table, run)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE benchmark_rows (LIKE {table} INCLUDING ALL)")
            seconds += seconds_of(lambda: _copy_in(content))  # noqa: B023 - called in this very turn
            cursor.execute("DROP TABLE benchmark_rows")
    return seconds


def _copied_out(table: str, run: int) -> Sequence[bytes]:
    query = f"COPY (SELECT * FROM {table} WHERE run_id = %s) TO STDOUT (FORMAT BINARY)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(query, [run]) as copy:
        return [b"".join(copy)]


def _copy_in(blocks: Sequence[bytes]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY benchmark_rows FROM STDIN (FORMAT BINARY)") as copy,
    ):
        for block in blocks:
            copy.write(block)


def _ordinary(count: int) -> float:
    """Seconds of the ordinary implementation over the first accounts; nothing of it stays."""
    desk = margining(methodology="okx-2025")
    part = MarginRunPart.objects.filter(kind=PartKind.MARGIN).latest("id")
    with transaction.atomic():
        run = MarginRun.objects.create(
            snapshot=desk.snapshot,
            engine="",
            ledger_position=0,
            reason=RunReason.MANUAL,
            state=RunState.MARGIN,
            accounts=count,
        )
        # Reads the risk arrays, which the others need not do again.
        ordinary_run(run=run, part=part, desk=desk, accounts=0)
        seconds = seconds_of(lambda: ordinary_run(run=run, part=part, desk=desk, accounts=count))
        transaction.set_rollback(True)
    return seconds
