"""The console as somebody sees it who has come in by both factors."""

from typing import Any

from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.support.client import TlsClient


def enter(client: TlsClient, user: Any) -> TlsClient:
    """Log a person in by both factors, without their codes."""
    client.force_login(user)
    device = TOTPDevice.objects.get_or_create(user=user, name="test", confirmed=True)[0]
    session = client.session
    session[DEVICE_ID_SESSION_KEY] = device.persistent_id
    session.save()
    return client
