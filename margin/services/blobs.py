"""Content-addressed bytes: storing them twice only marks them as used."""

from margin.models import Blob


def blob_store(*, key: str, content: bytes) -> None:
    """Store bytes under the hash of what they were made from."""
    Blob.objects.bulk_create(
        [Blob(key=key, content=content)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["last_used_at"],
    )
