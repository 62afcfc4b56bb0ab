"""Content hashes over canonical JSON: sorted keys, no spaces, UTF-8."""

import hashlib
import json
from typing import Any


def canonical_json(document: Any) -> bytes:
    """The canonical bytes of a JSON document."""
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256_of(document: Any) -> str:
    """Hexadecimal SHA-256 of the canonical bytes."""
    return hashlib.sha256(canonical_json(document)).hexdigest()
