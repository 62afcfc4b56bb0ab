"""Margin reports: rendered at their first reading, out of what the run kept, and then kept as bytes."""

from typing import Any

import msgspec

from margin import stored_reports
from margin.engine.report import ENGINE_VERSION
from margin.models import MarginReport, MarginResult, MarginRunPart
from margin.services.inputs import part_book
from margin.services.margining import margining_by
from margin.services.results import report_contents
from pmplatform.common.errors import NotFound


def report_bytes(*, result: MarginResult) -> bytes:
    """The margin report of a result.

    Raises
    ------
    NotFound
        When nobody has read it yet, and its inputs are forgotten or another engine computed it.
    """
    kept = stored_reports.report_kept(result)
    if kept is not None:
        return kept
    content = _rendered(result)
    MarginReport.objects.bulk_create(
        [MarginReport(run_id=result.run_id, account_id=result.account_id, content=content)],
        ignore_conflicts=True,
    )
    return content


def report_of(result: MarginResult) -> dict[str, Any]:
    """The margin report of a result as a document; NotFound as `report_bytes`."""
    report: dict[str, Any] = msgspec.json.decode(report_bytes(result=result))
    return report


def _rendered(result: MarginResult) -> bytes:
    # Without the market, which is as large as thousands of reports and kept by the process.
    told = MarginRunPart.objects.select_related("run__snapshot").defer("run__snapshot__content")
    part = told.get(pk=result.part_id)
    book = part_book(part, result.account_id) if part.run.engine == ENGINE_VERSION else None
    if book is None:
        raise NotFound("The report was never read, and what it was computed from is not kept any more.")
    desk = margining_by(snapshot=part.run.snapshot_id, version=part.parameters_id)
    shard = desk.margin_book(book)
    [content] = report_contents(
        part=part, parameters=desk.parameters, shard=shard, accounts=[0], inputs=[result.input_sha256]
    )
    return content
