"""What webhooks are owed of the event log: written down, called out, tried again, given up."""

import json
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.addresses import destination_resolve
from accounts.calling import post
from accounts.choices import DeliveryState
from accounts.models import Webhook, WebhookDelivery
from accounts.services.webhooks import valid_secrets
from pmplatform.common.errors import Refused
from pmplatform.common.events import event_document, events_after, events_range
from pmplatform.common.models import Event
from pmplatform.common.signing import signature_headers

MAX_ATTEMPTS: Final = 8
#: Until an attempt is made again: longer than a call may take, and doubled each time.
FIRST_RETRY: Final = timedelta(seconds=15)
#: How long what was delivered, or given up, can be looked at.
KEPT: Final = timedelta(days=7)
_EVENTS: Final = 1_000
_SUCCESS: Final = range(200, 300)


@transaction.atomic
def deliveries_owe(*, now: datetime) -> int:
    """Owe each webhook the events it asked for since it was last looked at; returns how many.

    A webhook that another process looks at is passed over, so that every event is owed once.
    """
    _, newest = events_range()
    behind = Webhook.objects.filter(enabled=True, owed_until__lt=newest)
    owed = 0
    for webhook in behind.order_by("pk").select_for_update(skip_locked=True):
        events = events_after(last_id=webhook.owed_until, limit=_EVENTS, tenant_id=webhook.tenant_id)
        rows = [_owed(webhook, event, now) for event in events if event.kind in webhook.events]
        WebhookDelivery.objects.bulk_create(rows)
        is_all = len(events) < _EVENTS
        webhook.owed_until = max(newest, *(event.pk for event in events)) if is_all else events[-1].pk
        webhook.save(update_fields=["owed_until"])
        owed += len(rows)
    return owed


def _owed(webhook: Webhook, event: Event, now: datetime) -> WebhookDelivery:
    body = json.dumps(event_document(event), separators=(",", ":"))
    return WebhookDelivery(webhook=webhook, event_id=event.pk, body=body, created_at=now, available_at=now)


@transaction.atomic
def deliveries_claim(*, now: datetime, limit: int) -> list[WebhookDelivery]:
    """Begin an attempt at the deliveries that are due, oldest first.

    Each counts from here on and is due again later, so that one whose process dies is tried again.
    """
    due = WebhookDelivery.objects.filter(
        state=DeliveryState.PENDING, available_at__lte=now, webhook__enabled=True
    )
    claimed = list(
        due.select_related("webhook")
        .order_by("available_at", "id")
        .select_for_update(skip_locked=True, of=("self",))[:limit]
    )
    for delivery in claimed:
        delivery.attempts += 1
        delivery.available_at = now + FIRST_RETRY * 2 ** (delivery.attempts - 1)
    WebhookDelivery.objects.bulk_update(claimed, ["attempts", "available_at"])
    return claimed


def delivery_attempt(*, delivery: WebhookDelivery) -> None:
    """Call a webhook with what was claimed, and write down what came of it."""
    now = timezone.now()
    try:
        failure = _call(delivery, now)
    except Refused as refusal:
        failure = str(refusal)
    pending = WebhookDelivery.objects.filter(pk=delivery.pk, state=DeliveryState.PENDING)
    if not failure:
        pending.update(state=DeliveryState.DELIVERED, delivered_at=timezone.now(), last_error="")
    elif delivery.attempts >= MAX_ATTEMPTS:
        pending.update(state=DeliveryState.DEAD, last_error=failure)
    else:
        pending.update(last_error=failure)


def _call(delivery: WebhookDelivery, now: datetime) -> str:
    """Why the receiver has not taken it; empty where it has."""
    body = delivery.body.encode()
    newest, *previous = valid_secrets(webhook=delivery.webhook, now=now)
    signed = signature_headers(secret=newest, previous=previous, body=body, now=now)
    headers = {**signed, "Content-Type": "application/json", "User-Agent": "pmplatform-webhooks"}
    status = post(destination=destination_resolve(delivery.webhook.url), headers=headers, body=body)
    return "" if status in _SUCCESS else f"The receiver answered {status}."


def deliveries_prune(*, now: datetime) -> None:
    """Forget what was delivered or given up long ago."""
    ended = WebhookDelivery.objects.exclude(state=DeliveryState.PENDING)
    ended.filter(created_at__lt=now - KEPT).delete()
