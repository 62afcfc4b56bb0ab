"""Content hashes over canonical JSON: sorted keys, no spaces, UTF-8."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal


def canonical_json(value: object) -> bytes:
    """Write plain JSON values canonically; a Decimal as its text, a datetime in ISO 8601. NaN is refused."""
    text = json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_as_text,
    )
    return text.encode()


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical_sha256(value: object) -> str:
    return sha256_hex(canonical_json(value))


def _as_text(value: object) -> str:
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical JSON")
