"""Webhooks: who hears what, signed how, tried again when, and where they may call."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.addresses import destination_resolve
from accounts.calling import tls_context
from accounts.choices import DeliveryState
from accounts.models import Tenant, Webhook, WebhookDelivery
from accounts.services.deliveries import (
    MAX_ATTEMPTS,
    deliveries_claim,
    deliveries_owe,
    deliveries_prune,
    delivery_attempt,
)
from accounts.services.webhooks import valid_secrets, webhook_change, webhook_create, webhook_rotate
from pmplatform.common.errors import Refused, ValidationFailed
from pmplatform.common.events import EventKind, NewEvent, events_append
from pmplatform.common.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature_holds
from pmplatform.invariants.view import violations
from tests.accounts.books import ACTOR, make_tenant
from tests.support.processes import PlatformProcess, running
from tests.support.waiting import wait_until

PUBLIC = "https://desk.example.org/hook"


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def _emit(tenant: Tenant | None, *kinds: EventKind) -> list[int]:
    told = [NewEvent(kind, tenant.pk if tenant else None, {"account": 1}) for kind in kinds]
    with transaction.atomic():
        return events_append(events=told, now=timezone.now())


def _hook(tenant: Tenant, url: str = PUBLIC, *, events: tuple[EventKind, ...] = tuple(EventKind)) -> Webhook:
    issued = webhook_create(tenant=tenant, url=url, events=events, actor=ACTOR, now=timezone.now())
    return issued.row


def _owed(webhook: Webhook) -> list[int]:
    deliveries_owe(now=timezone.now())
    return list(WebhookDelivery.objects.filter(webhook=webhook).values_list("event_id", flat=True))


def test_a_webhook_is_owed_the_kinds_it_asked_for_of_its_own_tenant(acme: Tenant) -> None:
    webhook = _hook(acme, events=(EventKind.WARNING,))
    [_, wanted] = _emit(acme, EventKind.MARGIN, EventKind.WARNING)
    _emit(make_tenant("other"), EventKind.WARNING)
    _emit(None, EventKind.WARNING)
    assert _owed(webhook) == [wanted]
    assert _owed(webhook) == [wanted], "looked at twice, owed once"


def test_what_is_published_is_owed_to_every_tenant(acme: Tenant) -> None:
    hooks = [_hook(acme), _hook(make_tenant("other"))]
    published = _emit(None, EventKind.PARAMETERS, EventKind.RUN)[:1]
    assert [_owed(hook) for hook in hooks] == [published, published]
    assert [violation for violation in violations() if violation.invariant == "I12"] == []


def test_a_webhook_hears_nothing_of_what_was_before_it(acme: Tenant) -> None:
    _emit(acme, EventKind.MARGIN)
    assert _owed(_hook(acme)) == []


def test_a_paused_webhook_misses_what_happens_meanwhile(acme: Tenant) -> None:
    webhook = webhook_change(webhook=_hook(acme), enabled=False, actor=ACTOR)
    _emit(acme, EventKind.MARGIN)
    webhook = webhook_change(webhook=webhook, enabled=True, actor=ACTOR)
    [heard] = _emit(acme, EventKind.MARGIN)
    assert _owed(webhook) == [heard]


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.org/hook",
        "ftp://desk.example.org/",
        "https:///hook",
        "https://user:word@desk.example.org/",
        "https://desk.example.org/#part",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest",
        "https://10.1.2.3/",
        "https://desk.example.org:99999/",
        "nonsense",
    ],
)
def test_an_address_that_is_no_public_one_over_tls_is_refused(acme: Tenant, url: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        _hook(acme, url)
    assert [fault.path for fault in refused.value.errors] == ["url"]


def test_a_name_that_leads_to_a_private_network_is_refused_when_it_is_called() -> None:
    with pytest.raises(Refused, match="is not a public address"):
        destination_resolve("https://localhost/hook")


def test_what_was_resolved_once_is_what_is_called_whatever_the_name_says_then(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PM_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    destination = destination_resolve("http://localhost:8080/hook?a=1")
    assert (destination.address, destination.host_header) == ("127.0.0.1", "localhost:8080")
    assert destination.target == "/hook?a=1"


@contextmanager
def _receiver(*statuses: int, certificate: Path | None = None) -> Iterator[tuple[str, PlatformProcess]]:
    command = ["tests.accounts.receiver", *map(str, statuses)]
    extra = {} if certificate is None else {"TLS_CERTIFICATE": str(certificate)}
    origin = "http://127.0.0.1" if certificate is None else "https://localhost"
    with running(command, ready=lambda process: "\n" in process.output(), extra=extra) as process:
        port = int(process.output().splitlines()[0])
        yield f"{origin}:{port}/hook", process


def _received(process: PlatformProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.output().splitlines()[1:]]


def _deliver(minutes: float = 0) -> int:
    """Attempt what is due in so many minutes, as the process does."""
    now = timezone.now()
    deliveries_owe(now=now)
    claimed = deliveries_claim(now=now + timedelta(minutes=minutes), limit=10)
    for delivery in claimed:
        delivery_attempt(delivery=delivery)
    return len(claimed)


@pytest.fixture
def loopback_allowed(settings: Settings) -> None:
    settings.PM_WEBHOOK_NETWORKS = ["127.0.0.0/8"]


def test_a_receiver_gets_the_event_signed_with_its_secret(acme: Tenant, loopback_allowed: None) -> None:
    with _receiver() as (url, process):
        webhook = _hook(acme, url)
        [event] = _emit(acme, EventKind.WARNING)
        assert _deliver() == 1
        [call] = _received(process)
    assert json.loads(call["body"])["id"] == event
    assert json.loads(call["body"])["data"] == {"account": 1}
    now = timezone.now()
    body, headers = call["body"].encode(), call["headers"]
    [secret] = valid_secrets(webhook=webhook, now=now)
    assert signature_holds(secret=secret, headers=headers, body=body, now=now)
    assert not signature_holds(secret=secret, headers=headers, body=body + b" ", now=now)
    assert not signature_holds(secret="whs_other", headers=headers, body=body, now=now)
    late = now + timedelta(minutes=5, seconds=2)
    assert not signature_holds(secret=secret, headers=headers, body=body, now=late)
    assert WebhookDelivery.objects.get().state == DeliveryState.DELIVERED


def test_while_secrets_are_rotated_both_hold_and_afterwards_one(acme: Tenant, loopback_allowed: None) -> None:
    now = timezone.now()
    with _receiver() as (url, process):
        webhook = _hook(acme, url)
        [old] = valid_secrets(webhook=webhook, now=now)
        webhook_rotate(webhook=webhook, actor=ACTOR, now=now)
        [new, _] = valid_secrets(webhook=webhook, now=now)
        _emit(acme, EventKind.WARNING)
        _deliver()
        [call] = _received(process)
    body = call["body"].encode()
    for secret in (old, new):
        assert signature_holds(secret=secret, headers=call["headers"], body=body, now=now)
    assert call["headers"][SIGNATURE_HEADER].count("v1=") == 2
    assert call["headers"][TIMESTAMP_HEADER].isdecimal()
    assert valid_secrets(webhook=webhook, now=now + timedelta(hours=24)) == [new]


def test_while_the_pepper_is_rotated_a_receiver_verifies_with_the_secret_it_has(
    acme: Tenant, loopback_allowed: None, settings: Settings
) -> None:
    now = timezone.now()
    with _receiver() as (url, process):
        webhook = _hook(acme, url)
        [old] = valid_secrets(webhook=webhook, now=now)
        settings.PM_TOKEN_PEPPER, settings.PM_TOKEN_PEPPER_PREVIOUS = "another", settings.PM_TOKEN_PEPPER
        new = webhook_rotate(webhook=webhook, actor=ACTOR, now=now).secret
        _emit(acme, EventKind.WARNING)
        _deliver()
        [call] = _received(process)
    for secret in (old, new):
        assert signature_holds(secret=secret, headers=call["headers"], body=call["body"].encode(), now=now)


def test_a_receiver_that_fails_is_called_again_later_and_a_redirect_is_not_followed(
    acme: Tenant, loopback_allowed: None
) -> None:
    with _receiver(500, 302, 200) as (url, process):
        _hook(acme, url)
        _emit(acme, EventKind.MARGIN)
        assert [_deliver(), _deliver()] == [1, 0], "not before its time"
        assert WebhookDelivery.objects.get().last_error == "The receiver answered 500."
        assert [_deliver(minutes=0.3), _deliver(minutes=1)] == [1, 1]
        assert [call["path"] for call in _received(process)] == ["/hook"] * 3
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("delivered", 3, "")


def test_a_receiver_that_is_away_is_given_up_after_half_an_hour(acme: Tenant, loopback_allowed: None) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        _hook(acme, f"http://127.0.0.1:{nobody.getsockname()[1]}/hook")
        _emit(acme, EventKind.MARGIN)
        for attempt in range(MAX_ATTEMPTS):
            assert _deliver(minutes=0.3 * 2**attempt) == 1
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == DeliveryState.DEAD
    assert "ConnectionRefusedError" in delivery.last_error
    deliveries_prune(now=timezone.now() + timedelta(days=8))
    assert not WebhookDelivery.objects.exists()


def _certificate_of(host: str, file: Path) -> Path:
    """A certificate that vouches for itself, with its key, in one file."""
    names = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run([*made, "-keyout", str(file), "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.mark.parametrize(
    ("host", "trusted", "state"),
    [("localhost", True, "delivered"), ("localhost", False, "pending"), ("elsewhere", True, "pending")],
)
def test_over_tls_only_the_hosts_own_trusted_certificate_is_delivered_to(
    acme: Tenant,
    loopback_allowed: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    host: str,
    trusted: bool,
    state: str,
) -> None:
    certificate = _certificate_of(host, tmp_path / "receiver.pem")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_context.cache_clear()
    with _receiver(certificate=certificate) as (url, _):
        _hook(acme, url)
        _emit(acme, EventKind.WARNING)
        assert _deliver() == 1
    tls_context.cache_clear()
    delivery = WebhookDelivery.objects.get()
    assert delivery.state == state
    assert ("CERTIFICATE_VERIFY_FAILED" in delivery.last_error) == (state == "pending")


@pytest.mark.django_db(transaction=True)
def test_the_process_delivers_what_commits_while_it_runs(settings: Settings) -> None:
    settings.PM_WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    acme = make_tenant("acme")
    deliverer = running(
        ["manage", "webhooks_deliver"],
        ready=lambda process: "are delivered" in process.output(),
        extra={"PM_WEBHOOK_NETWORKS": "127.0.0.0/8"},
    )
    with _receiver() as (url, receiver), deliverer:
        _hook(acme, url)
        [event] = _emit(acme, EventKind.LIQUIDATION)
        wait_until(lambda: bool(_received(receiver)))
        [call] = _received(receiver)
    assert json.loads(call["body"])["id"] == event
