"""Reads of margin reports as they are kept: bytes, by plain queries, for nothing is read more often."""

from dataclasses import dataclass
from typing import Final

from margin.choices import RunReason, RunState
from margin.models import MarginResult
from pmplatform.common.columns import plain_row, plain_value

_REPORT: Final = "SELECT content FROM margin_marginreport WHERE run_id = %(run)s AND account_id = %(account)s"
# The account comes by a query of its own, so that its plan is kept (`accounts.margin_rows`).
_NEWEST_REPORT: Final = """
    SELECT account.tenant_id, newest.id, newest.snapshot_id, newest.content
    FROM accounts_account AS account
    LEFT JOIN LATERAL (
        SELECT result.id, result.snapshot_id, report.content
        FROM margin_marginresult AS result
        JOIN margin_marginrun AS run
            ON run.id = result.run_id AND run.state = %(completed)s AND run.reason <> %(impact)s
        LEFT JOIN margin_marginreport AS report
            ON report.run_id = result.run_id AND report.account_id = result.account_id
        WHERE result.account_id = account.id
        ORDER BY result.ledger_position DESC, result.snapshot_id DESC, result.run_id DESC
        LIMIT 1
    ) AS newest ON true
    WHERE account.id = (SELECT %(account)s::bigint)
"""


@dataclass(frozen=True, slots=True)
class NewestReport:
    """Whose an account is, its newest result if any, and the report where that was rendered already."""

    tenant: int
    result: int | None
    snapshot: int | None
    content: bytes | None


def report_latest(account: int) -> NewestReport | None:
    """The report of `result_latest`, by one plain query, as it is what is read most; None for no account."""
    parameters = {"account": account, "completed": RunState.COMPLETED.value, "impact": RunReason.IMPACT.value}
    row = plain_row(query=_NEWEST_REPORT, parameters=parameters)
    return None if row is None else NewestReport(*row)


def report_kept(result: MarginResult) -> bytes | None:
    """The margin report of a result, where it has been read before."""
    content: bytes | None = plain_value(
        query=_REPORT, parameters={"run": result.run_id, "account": result.account_id}
    )
    return content
