"""The platform's figures in the terms of Prometheus, read from the database at each scrape."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from accounts.selectors import deliveries_count
from liquidation import selectors as liquidation
from margin import selectors as margin
from margin.choices import RiskMode, RunState
from margin.market_states import market_state
from margin.risk_states import risk_states
from margin.run_states import hourly_run_latest, parts_quarantined
from margin.versions import rollback_latest
from pmplatform.common.chain import chain_unsealed_seconds
from pmplatform.common.events import events_range
from pmplatform.common.outbox import outbox_state
from pmplatform.invariants.checks import invariants_checked

Labelled = Mapping[str, float]

#: How long a part in quarantine is counted.
_REMEMBERED = timedelta(days=1)


class PlatformFigures(Collector):
    """What an operator watches: market, runs, messages, liquidation, and whether all is as it must be."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        now = timezone.now()
        yield from _market(now)
        yield from _parameters(now)
        yield from _runs(now)
        yield from _messages(now)
        yield from _liquidation()
        yield from _safety(now)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: to describe by collecting would read the database twice."""
        return []


def _market(now: datetime) -> Iterator[GaugeMetricFamily]:
    state = market_state(now)
    if state is not None:
        yield _gauge("pm_snapshot_sequence", "The newest market snapshot.", state.snapshot.pk)
        yield _gauge("pm_snapshot_age_seconds", "Its age.", state.age_seconds)
        yield _gauge("pm_market_fresh", "1 if it may move accounts.", float(state.standing.is_fresh))


def _parameters(now: datetime) -> Iterator[GaugeMetricFamily]:
    rollback = rollback_latest()
    if rollback is not None:
        age = (now - rollback.created_at).total_seconds()
        yield _gauge("pm_parameters_rollback_age_seconds", "Since parameters were last rolled back.", age)


def _runs(now: datetime) -> Iterator[GaugeMetricFamily]:
    yield _by_label("pm_runs", "Runs over the book, by state.", "state", margin.runs_count())
    last = margin.run_latest_completed()
    if last is not None and last.finished_at is not None:
        age = (now - last.finished_at).total_seconds()
        took = (last.finished_at - last.created_at).total_seconds()
        yield _gauge("pm_last_run_age_seconds", "Since the newest completed run ended.", age)
        yield _gauge("pm_last_run_seconds", "How long it took.", took)
        yield _gauge("pm_last_run_accounts", "Accounts that it margined.", last.accounts)
        yield _gauge("pm_last_run_blocked", "Accounts that it could not margin.", len(last.blocked))


def _messages(now: datetime) -> Iterator[GaugeMetricFamily]:
    outbox = outbox_state(now=now)
    yield _by_label("pm_outbox", "Messages of the outbox not published.", "state", outbox.counts)
    yield _gauge("pm_outbox_oldest_seconds", "Age of the oldest pending one.", outbox.oldest_seconds)
    yield _by_label(
        "pm_webhook_deliveries", "Webhook calls by state, of the last days.", "state", deliveries_count()
    )
    yield _gauge("pm_events_newest", "Id of the newest event of the stream.", events_range()[1])


def _liquidation() -> Iterator[GaugeMetricFamily]:
    yield _by_label("pm_liquidation_cases", "Live cases, by state.", "state", liquidation.cases_count())
    fund = {row.currency: float(row.amount) for row in liquidation.fund_balances()}
    yield _by_label("pm_insurance_fund", "Cash of the insurance fund, by currency.", "currency", fund)
    modes = {row.underlying or "*": float(row.mode != RiskMode.ENABLED) for row in risk_states()}
    yield _by_label("pm_risk_restricted", "1 where a risk state is not `enabled`.", "underlying", modes)


def _safety(now: datetime) -> Iterator[GaugeMetricFamily]:
    quarantined = parts_quarantined(now - _REMEMBERED)
    yield _gauge("pm_parts_quarantined", "Parts out of attempts, of the last day's runs.", quarantined)
    hourly = hourly_run_latest()
    if hourly is not None:
        failed = hourly.state == RunState.FAILED
        yield _gauge("pm_hourly_run_failed", "1 if the newest hourly run has failed.", float(failed))
        age = (now - hourly.created_at).total_seconds()
        yield _gauge("pm_hourly_run_age_seconds", "Since it was started.", age)
    yield _gauge(
        "pm_audit_unsealed_seconds", "Age of the oldest unsealed row.", chain_unsealed_seconds(now=now)
    )
    checked = invariants_checked()
    if checked is not None:
        text = "How often an invariant was violated at the newest check; absent without a recent one."
        yield _by_label("pm_invariant_violations", text, "invariant", checked)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, values: Labelled) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
