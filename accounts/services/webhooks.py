"""Webhooks: registered, changed, their secrets rotated, and forgotten."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from accounts.addresses import url_faults
from accounts.models import Tenant, Webhook
from accounts.services.changes import faults_refuse
from pmplatform.common.audit import audit_append
from pmplatform.common.events import events_range
from pmplatform.common.principals import Actor
from pmplatform.common.tokens import peppers

#: How long the secret before a rotation stays valid.
ROTATION: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class IssuedWebhook:
    """A stored webhook and, this once, its newest secret."""

    row: Webhook
    secret: str


def valid_secrets(*, webhook: Webhook, now: datetime) -> list[str]:
    """The newest secret and, while it or the server's pepper is being rotated, those before."""
    rotates = webhook.rotated_until is not None and now < webhook.rotated_until
    salts = [webhook.salt, *([webhook.previous_salt] if rotates else [])]
    return [_secret(salt, pepper) for pepper in peppers() for salt in salts]


@transaction.atomic
def webhook_create(
    *, tenant: Tenant, url: str, events: Sequence[str], actor: Actor, now: datetime
) -> IssuedWebhook:
    """Register an address, which hears of events from now on. Raises ValidationFailed."""
    faults_refuse(url_faults(url))
    row = Webhook.objects.create(
        tenant=tenant,
        url=url,
        events=sorted(set(events)),
        salt=secrets.token_hex(16),
        owed_until=events_range()[1],
        created_by=actor.name,
        created_at=now,
    )
    _audit(row, "webhook.create", actor)
    return IssuedWebhook(row=row, secret=_secret(row.salt, peppers()[0]))


@transaction.atomic
def webhook_change(
    *,
    webhook: Webhook,
    url: str | None = None,
    events: Sequence[str] | None = None,
    enabled: bool | None = None,
    actor: Actor,
) -> Webhook:
    """Change what is given; enabled again, it hears of events from then on. Raises ValidationFailed."""
    if url is not None:
        faults_refuse(url_faults(url))
        webhook.url = url
    if events is not None:
        webhook.events = sorted(set(events))
    if enabled is not None:
        if enabled and not webhook.enabled:
            webhook.owed_until = events_range()[1]
        webhook.enabled = enabled
    webhook.save(update_fields=["url", "events", "enabled", "owed_until"])
    _audit(webhook, "webhook.change", actor)
    return webhook


@transaction.atomic
def webhook_rotate(*, webhook: Webhook, actor: Actor, now: datetime) -> IssuedWebhook:
    """Give a new secret; the present one stays valid for a day, an older one ends at once."""
    webhook.previous_salt, webhook.salt = webhook.salt, secrets.token_hex(16)
    webhook.rotated_until = now + ROTATION
    webhook.save(update_fields=["salt", "previous_salt", "rotated_until"])
    _audit(webhook, "webhook.rotate", actor)
    return IssuedWebhook(row=webhook, secret=_secret(webhook.salt, peppers()[0]))


@transaction.atomic
def webhook_delete(*, webhook: Webhook, actor: Actor) -> None:
    """Forget a webhook, and what it is still owed."""
    _audit(webhook, "webhook.delete", actor)
    webhook.delete()


def _secret(salt: str, pepper: str) -> str:
    """The secret of a salt, which nobody can derive without the server's pepper."""
    digest = hmac.new(pepper.encode(), f"webhook:{salt}".encode(), hashlib.sha256).digest()
    return "whs_" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _audit(row: Webhook, action: str, actor: Actor) -> None:
    audit_append(
        actor=actor,
        action=action,
        object_type="webhook",
        object_id=row.pk,
        tenant_id=row.tenant_id,
        after={"url": row.url, "events": row.events, "enabled": row.enabled},
    )
