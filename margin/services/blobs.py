"""Content-addressed bytes: storing them twice only marks them as used."""

from typing import Final

from django.utils import timezone

from pmplatform.common.columns import plain_execute

_STORE: Final = """
    INSERT INTO margin_blob (key, content, last_used_at) VALUES (%(key)s, %(content)b, %(now)s)
    ON CONFLICT (key) DO UPDATE SET last_used_at = excluded.last_used_at
"""


def blob_store(*, key: str, content: bytes) -> None:
    """Store bytes under the hash of what they were made from."""
    plain_execute(query=_STORE, parameters={"key": key, "content": content, "now": timezone.now()})
