"""Celery tasks of accounts: a clock and a service call."""

from celery import shared_task
from django.utils import timezone

from accounts.services.retirement import methodologies_retire


@shared_task
def retire_methodologies() -> None:
    """Move the accounts of methodologies whose retirement has come."""
    methodologies_retire(now=timezone.now())
