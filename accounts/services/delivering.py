"""The process that delivers webhooks: woken by new events, and else once a second."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import django.db
from django.db import connection
from django.utils import timezone

from accounts.models import WebhookDelivery
from accounts.services.deliveries import (
    deliveries_claim,
    deliveries_owe,
    deliveries_prune,
    delivery_attempt,
)
from pmplatform.common.events import CHANNEL
from pmplatform.common.notices import listen, notice_wait

logger = logging.getLogger(__name__)

#: Receivers that are called at once; each call is bounded, so that slow ones hold up others for seconds only.
CALLS: Final = 16
POLL_SECONDS: Final = 1.0
_PRUNE_EVERY: Final = timedelta(minutes=1)


def webhooks_deliver(*, stopping: Callable[[], bool], alive: Callable[[], None]) -> None:
    """Deliver until `stopping`; calls `alive` at least every few seconds while all is well.

    An outage of the database is waited for. Any number of processes may deliver beside each other.
    """
    prune_at = timezone.now()
    with ThreadPoolExecutor(CALLS) as pool:
        while not stopping():
            try:
                listen(CHANNEL)
                _work(pool, stopping)
                if timezone.now() >= prune_at:
                    deliveries_prune(now=timezone.now())
                    prune_at = timezone.now() + _PRUNE_EVERY
                alive()
                notice_wait(POLL_SECONDS)
            except django.db.Error as error:
                logger.warning("the database does not answer: %s", error)
                connection.close()
                time.sleep(POLL_SECONDS)


def _work(pool: ThreadPoolExecutor, stopping: Callable[[], bool]) -> None:
    """Deliver all that is due."""
    while not stopping():
        deliveries_owe(now=timezone.now())
        claimed = deliveries_claim(now=timezone.now(), limit=CALLS)
        list(pool.map(_attempt, claimed))
        if len(claimed) < CALLS:
            return


def _attempt(delivery: WebhookDelivery) -> None:
    """An attempt in a thread; whatever happens, the delivery is due again unless it succeeded."""
    try:
        delivery_attempt(delivery=delivery)
    except Exception:
        logger.exception("delivering %s failed", delivery.pk)
    finally:
        connection.close()
