"""Signatures of messages between programs: HMAC-SHA256 over time and body, within a window of minutes."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

TIMESTAMP_HEADER: Final = "X-PM-Timestamp"
SIGNATURE_HEADER: Final = "X-PM-Signature"
#: How far the clocks of the two may differ, and how long a message may be repeated.
WINDOW: Final = timedelta(minutes=5)
_PREFIX: Final = "v1="


def signature_headers(*, secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that sign a body."""
    timestamp = str(int(now.timestamp()))
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: _PREFIX + _digest(secret, timestamp, body)}


def signature_holds(*, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether the headers sign this body with the secret, and not too long ago or ahead."""
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        return False
    return hmac.compare_digest(signature.encode(), (_PREFIX + _digest(secret, timestamp, body)).encode())


def _digest(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
