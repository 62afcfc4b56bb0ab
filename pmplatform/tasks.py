"""Celery tasks of the platform as a whole."""

import logging

from celery import shared_task

from pmplatform.invariants.checks import invariants_check

logger = logging.getLogger(__name__)


@shared_task
def check_invariants() -> None:
    """Check every invariant, for the metrics and the log."""
    for name, count in invariants_check().items():
        if count:
            logger.error("invariant %s is violated %s times", name, count)
