"""Webhooks: registered, changed, rotated, and what they are owed of new events."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from accounts.addresses import url_faults
from accounts.choices import DeliveryState
from accounts.models import Tenant, Webhook, WebhookDelivery
from accounts.services.changes import faults_refuse
from pmplatform.common.audit import audit_append
from pmplatform.common.models import Event
from pmplatform.common.principals import Actor

#: How long the secret before a rotation stays valid.
ROTATION: Final = timedelta(hours=24)
#: How long what was delivered, or given up, can be looked at.
KEPT: Final = timedelta(days=7)
#: The PostgreSQL channel that wakes those who deliver.
CHANNEL: Final = "webhooks"


@dataclass(frozen=True, slots=True)
class IssuedWebhook:
    """A stored webhook and, this once, its newest secret."""

    row: Webhook
    secret: str


def webhook_secret(salt: str) -> str:
    """The secret of a salt, which nobody can derive without the server's pepper."""
    pepper = settings.PM_TOKEN_PEPPER.encode()
    digest = hmac.new(pepper, f"webhook:{salt}".encode(), hashlib.sha256).digest()
    return "whs_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def valid_secrets(webhook: Webhook, now: datetime) -> list[str]:
    """The newest secret and, while a rotation lasts, the one before."""
    salts = [webhook.salt]
    if webhook.rotated_until is not None and now < webhook.rotated_until:
        salts.append(webhook.previous_salt)
    return [webhook_secret(salt) for salt in salts]


@transaction.atomic
def webhook_create(
    *, tenant: Tenant | None, url: str, events: Sequence[str], actor: Actor, now: datetime
) -> IssuedWebhook:
    """Register an address for a tenant, or for the platform. Raises ValidationFailed."""
    faults_refuse(url_faults(url))
    row = Webhook.objects.create(
        tenant=tenant,
        url=url,
        events=sorted(set(events)),
        salt=secrets.token_hex(16),
        created_by=actor.name,
        created_at=now,
    )
    _audit(row, "webhook.create", actor)
    return IssuedWebhook(row=row, secret=webhook_secret(row.salt))


@transaction.atomic
def webhook_change(
    *,
    webhook: Webhook,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
    actor: Actor,
) -> Webhook:
    """Change what is given. Raises ValidationFailed."""
    if url is not None:
        faults_refuse(url_faults(url))
        webhook.url = url
    if events is not None:
        webhook.events = sorted(set(events))
    if enabled is not None:
        webhook.enabled = enabled
    webhook.save(update_fields=["url", "events", "enabled"])
    _audit(webhook, "webhook.change", actor)
    return webhook


@transaction.atomic
def webhook_rotate(*, webhook: Webhook, actor: Actor, now: datetime) -> IssuedWebhook:
    """Give a new secret; the present one stays valid for a day, an older one ends at once."""
    webhook.previous_salt, webhook.salt = webhook.salt, secrets.token_hex(16)
    webhook.rotated_until = now + ROTATION
    webhook.save(update_fields=["salt", "previous_salt", "rotated_until"])
    _audit(webhook, "webhook.rotate", actor)
    return IssuedWebhook(row=webhook, secret=webhook_secret(webhook.salt))


@transaction.atomic
def webhook_delete(*, webhook: Webhook, actor: Actor) -> None:
    """Forget a webhook, and what it is still owed."""
    _audit(webhook, "webhook.delete", actor)
    webhook.delete()


def deliveries_append(*, events: Sequence[Event], now: datetime) -> None:
    """Owe new events to every webhook that asked for their kind and may see them; in their transaction."""
    webhooks = list(Webhook.objects.filter(enabled=True)) if events else []
    owed = [
        WebhookDelivery(
            webhook=webhook, event_id=event.pk, body=event_body(event), created_at=now, available_at=now
        )
        for event in events
        for webhook in webhooks
        if event.kind in webhook.events and webhook.tenant_id in (None, event.tenant)
    ]
    if owed:
        WebhookDelivery.objects.bulk_create(owed, batch_size=1_000)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def event_body(event: Event) -> str:
    """An event as it is delivered: the same document that the stream sends."""
    return json.dumps(event_document(event), separators=(",", ":"))


def event_document(event: Event) -> dict[str, Any]:
    return {"id": event.pk, "kind": event.kind, "at": event.at.isoformat(), "data": event.data}


def deliveries_prune(*, now: datetime) -> None:
    """Forget what was delivered or given up long ago."""
    ended = WebhookDelivery.objects.exclude(state=DeliveryState.PENDING)
    ended.filter(created_at__lt=now - KEPT).delete()


def _audit(row: Webhook, action: str, actor: Actor) -> None:
    audit_append(
        actor=actor,
        action=action,
        object_type="webhook",
        object_id=row.pk,
        tenant_id=row.tenant_id,
        after={"url": row.url, "events": row.events, "enabled": row.enabled},
    )
