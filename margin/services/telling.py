"""What margin tells the stream: runs as they begin and end, whose margin is new, new parameters."""

from collections.abc import Mapping
from typing import Any, Final

from accounts.selectors import tenant_ids
from margin.choices import RunReason
from margin.models import MarginResult, MarginRun, ParameterVersion
from pmplatform.common.events import EventKind, NewEvent

_TOLD: Final = ("account_id", "ledger_position", "status", "margin_ratio")
_MONEY: Final = ("net_equity", "adjusted_equity", "mmr", "imr")


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
            results = MarginResult.objects.filter(run=run).order_by("account_id")
            return [_changed(run, row) for row in results.values("account__tenant_id", *_TOLD, *_MONEY)]
        case RunReason.IMPACT:
            return [run_event(run)]
        case _:
            told = {**_where(run), "account": None}
            return [run_event(run), *(NewEvent(EventKind.MARGIN, pk, told) for pk in tenant_ids())]


def _where(run: MarginRun) -> dict[str, Any]:
    return {"run": run.pk, "snapshot": run.snapshot_id, "as_of": run.snapshot.as_of.isoformat()}


def _changed(run: MarginRun, row: Mapping[str, Any]) -> NewEvent:
    figures = {"account": row["account_id"], **{name: row[name] for name in _TOLD[1:]}}
    money = {name: format(row[name], "f") for name in _MONEY}
    return NewEvent(EventKind.MARGIN, row["account__tenant_id"], {**_where(run), **figures, **money})
