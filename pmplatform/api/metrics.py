"""The platform's figures in the terms of Prometheus, read from the database at each scrape."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from accounts.selectors import deliveries_count
from margin import selectors as margin
from margin.market_states import market_state
from pmplatform.common.events import events_range
from pmplatform.common.outbox import outbox_state

Labelled = Mapping[str, float]


class PlatformFigures(Collector):
    """What an operator watches: market, runs, outbox, webhooks, events."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        now = timezone.now()
        yield from _market(now)
        yield from _runs(now)
        yield from _messages(now)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: to describe by collecting would read the database twice."""
        return []


def _market(now: datetime) -> Iterator[GaugeMetricFamily]:
    state = market_state(now)
    if state is not None:
        yield _gauge("pm_snapshot_sequence", "The newest market snapshot.", state.snapshot.pk)
        yield _gauge("pm_snapshot_age_seconds", "Its age.", state.age_seconds)
        yield _gauge("pm_market_fresh", "1 if it may move accounts.", float(state.standing.is_fresh))


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


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, values: Labelled) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
