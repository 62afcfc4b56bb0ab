"""What margin tells the stream: runs as they begin and end, whose margin is new, new parameters."""

from typing import Any, Final

from accounts.selectors import tenant_ids
from margin.choices import RunReason
from margin.models import MarginRun, ParameterVersion
from pmplatform.common.columns import plain_rows
from pmplatform.common.events import EventKind, NewEvent

_TOLD: Final = ("account", "ledger_position", "status", "margin_ratio")
_MONEY: Final = ("net_equity", "adjusted_equity", "mmr", "imr")
# The run comes by a query of its own, so that its plan is kept (`accounts.margin_rows`).
_CHANGED: Final = """
    SELECT account.tenant_id, account.id, result.ledger_position, result.status, result.margin_ratio,
        result.net_equity, result.adjusted_equity, result.mmr, result.imr
    FROM margin_marginresult AS result JOIN accounts_account AS account ON account.id = result.account_id
    WHERE result.run_id = (SELECT %(run)s::bigint)
    ORDER BY account.id
"""


def run_event(run: MarginRun) -> NewEvent:
    """How a run over the book stands: for the platform, to which runs belong."""
    data = {**_where(run), "reason": run.reason, "state": run.state, "accounts": run.accounts}
    return NewEvent(EventKind.RUN, None, {**data, "failure": run.failure})


def version_event(version: ParameterVersion) -> NewEvent:
    """What has become of a published version: for everybody, as parameters are."""
    data = {
        "methodology": version.methodology,
        "version": version.version,
        "state": version.state,
        "origin": version.origin,
        "effective_from": version.effective_from.isoformat(),
        "sha256": version.sha256,
        "restores": version.restores.version if version.restores else None,
    }
    return NewEvent(EventKind.PARAMETERS, None, data)


def closing_events(run: MarginRun) -> list[NewEvent]:
    """What the end of a completed run is to those who listen.

    Every tenant is told once that its accounts have been margined; of the few accounts that have changed
    between runs, each with its figures. An impact report's runs are nobody's margin.
    """
    match run.reason:
        case RunReason.CHANGE:
            return [_changed(run, *row) for row in plain_rows(query=_CHANGED, parameters={"run": run.pk})]
        case RunReason.IMPACT:
            return [run_event(run)]
        case _:
            told = {**_where(run), "account": None}
            return [run_event(run), *(NewEvent(EventKind.MARGIN, pk, told) for pk in tenant_ids())]


def _where(run: MarginRun) -> dict[str, Any]:
    return {"run": run.pk, "snapshot": run.snapshot_id, "as_of": run.snapshot.as_of.isoformat()}


def _changed(run: MarginRun, tenant: int, *row: Any) -> NewEvent:
    figures = dict(zip(_TOLD, row[: len(_TOLD)], strict=True))
    money = {name: format(value, "f") for name, value in zip(_MONEY, row[len(_TOLD) :], strict=True)}
    return NewEvent(EventKind.MARGIN, tenant, {**_where(run), **figures, **money})
