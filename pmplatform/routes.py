"""What the relay of the outbox makes of each topic: messages to the workers, as few as will do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from accounts.services.changes import ACCOUNT_CHANGED
from accounts.services.opening import ACCOUNTS_LOADED
from liquidation.services.cases import CASE_CHANGED
from liquidation.tasks import work
from margin.services.publishing import SNAPSHOT_PUBLISHED
from margin.services.runs import RUN_STARTED, run_advance
from margin.tasks import enqueue, enqueue_changes, start_due_run, sweep_accounts
from pmplatform.common.events import EVENTS_APPENDED, events_announce
from pmplatform.common.relay import Route

_Payloads = Sequence[Mapping[str, Any]]


def _account_changed(payloads: _Payloads) -> None:
    enqueue_changes(sorted({payload["account"] for payload in payloads}))


def _accounts_loaded(payloads: _Payloads) -> None:
    sweep_accounts.delay()


def _events_appended(payloads: _Payloads) -> None:
    events_announce()


def _run_started(payloads: _Payloads) -> None:
    for run_id in sorted({payload["run"] for payload in payloads}):
        enqueue(run_advance(run_id=run_id))


def _snapshot_published(payloads: _Payloads) -> None:
    start_due_run.delay()


def _case_changed(payloads: _Payloads) -> None:
    for _ in {payload["case"] for payload in payloads}:
        work.delay()


ROUTES: Final[Mapping[str, Route]] = {
    ACCOUNT_CHANGED: _account_changed,
    ACCOUNTS_LOADED: _accounts_loaded,
    CASE_CHANGED: _case_changed,
    EVENTS_APPENDED: _events_appended,
    RUN_STARTED: _run_started,
    SNAPSHOT_PUBLISHED: _snapshot_published,
}
