"""Signatures of messages between programs: HMAC-SHA256 over time and body, within a window of minutes."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

TIMESTAMP_HEADER: Final = "X-PM-Timestamp"
SIGNATURE_HEADER: Final = "X-PM-Signature"
#: How far the clocks of the two may differ, and how long a message may be repeated.
WINDOW: Final = timedelta(minutes=5)
_PREFIX: Final = "v1="


def signature_headers(
    *, secret: str, body: bytes, now: datetime, previous: Sequence[str] = ()
) -> dict[str, str]:
    """The headers that sign a body; while a secret is being replaced, by those before as well."""
    timestamp = str(int(now.timestamp()))
    secrets = [secret, *previous]
    signatures = ",".join(_PREFIX + _digest(each, timestamp, body) for each in secrets)
    return {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: signatures}


def signature_holds(*, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether one of the signatures is this secret's over this body, not too long ago or ahead."""
    timestamp, signatures = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        return False
    wanted = (_PREFIX + _digest(secret, timestamp, body)).encode()
    return any(hmac.compare_digest(each.strip().encode(), wanted) for each in signatures.split(","))


def _digest(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
