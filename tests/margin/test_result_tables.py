"""The tables of results take rows of runs and accounts that exist, a whole statement at a time."""

from collections.abc import Sequence

import pytest
from psycopg.errors import ForeignKeyViolation

from accounts.models import Account
from margin.choices import RunReason
from margin.models import MarginReport, MarginRun
from margin.services.runs import run_start
from pmplatform.common.bulk import rows_copy
from tests.margin.test_runs import work_through
from tests.margin.world import demo_world, newest_run

pytestmark = pytest.mark.django_db(transaction=True)

_UNIT = ("run_id", "account_id", "unit", "binding", "mmr", "imr", "spot_in_use", "delta", "cash_delta")
_MONEY = ("net_equity", "adjusted_equity", "mmr", "imr")
_RESULT = ("run_id", "account_id", "part_id", "snapshot_id", "ledger_position", "status", *_MONEY)
TABLES = {
    "margin_unitresult": (_UNIT, ("XRP", "", 0, 0, 0, 0, 0)),
    "margin_marginresult": ((*_RESULT, "input_sha256"), (1, 1, 1, "normal", 0, 0, 0, 0, "0" * 64)),
    "margin_marginreport": (("run_id", "account_id", "content"), (b"{}",)),
}


def write(table: str, owners: Sequence[tuple[int, int]]) -> None:
    columns, rest = TABLES[table]
    rows_copy(table=table, columns=columns, rows=((run, account, *rest) for run, account in owners))


@pytest.mark.parametrize("table", TABLES)
def test_a_row_of_nobody_is_refused_with_all_others_of_its_statement(table: str) -> None:
    demo_world(5)
    work_through(run_start(reason=RunReason.MANUAL))
    run, empty = newest_run(), MarginRun.objects.get()
    empty.pk = None
    empty.save()
    accounts = list(Account.objects.order_by("pk").values_list("pk", flat=True))
    good = [(empty.pk, account) for account in accounts]
    for bad in ((empty.pk, accounts[-1] + 1), (run.pk + 1_000, accounts[0])):
        with pytest.raises(ForeignKeyViolation, match="names no account or no run"):
            write(table, [*good, bad])
    write(table, good)
    assert MarginReport.objects.filter(run=empty).count() == len(good) * (table == "margin_marginreport")
